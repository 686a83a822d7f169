import type { SocketFactory, SocketLike, SocketListener, Wakeup, Wakeups } from '@kithwire/client'

/** A frame as it passed. */
export interface Frame {
  id: number
  at: number
  way: 'in' | 'out' | 'note'
  type: string
  text: string
}

const KEPT = 200

/**
 * The network of one pane: shows what passes, and can be cut. A cut drops the socket without a goodbye, refuses new
 * ones, and lets no HTTP through, as a tunnel does.
 */
export class Wire {
  private frames: readonly Frame[] = []
  private count = 0
  private cut = false
  private readonly live = new Set<() => void>()
  private readonly watchers = new Set<() => void>()
  private readonly wakers = new Set<(why: Wakeup) => void>()

  readonly subscribe = (run: () => void): (() => void) => {
    this.watchers.add(run)
    return () => this.watchers.delete(run)
  }
  readonly getFrames = () => this.frames
  readonly isCut = () => this.cut

  setCut(cut: boolean): void {
    this.cut = cut
    this.note(cut ? 'The network was cut.' : 'The network is back.')
    if (cut) for (const drop of [...this.live]) drop()
    else for (const wake of this.wakers) wake('online')
  }

  /** As the global one, but through this wire. */
  readonly fetch = async (...[input, init]: Parameters<typeof fetch>): Promise<Response> => {
    if (this.cut) throw new TypeError('The network was cut.')
    return fetch(input, init)
  }

  /** What browsers tell, and the end of a cut. */
  readonly wakeups: Wakeups = {
    listen: (wake) => {
      const online = () => wake('online')
      const shown = () => document.visibilityState === 'visible' && wake('visible')
      this.wakers.add(wake)
      addEventListener('online', online)
      document.addEventListener('visibilitychange', shown)
      return () => {
        this.wakers.delete(wake)
        removeEventListener('online', online)
        document.removeEventListener('visibilitychange', shown)
      }
    },
  }

  readonly open: SocketFactory = (url, protocols): SocketLike => {
    const socket = this.cut ? undefined : new WebSocket(url, [...protocols])
    let listener: SocketListener | undefined
    const end = (code: number, reason: string) => {
      const last = listener
      listener = undefined
      this.live.delete(drop)
      if (last && socket) this.note(`The socket closed with ${code}${reason ? `: ${reason}` : ''}.`)
      last?.close(code, reason)
    }
    const drop = () => {
      socket?.close()
      end(1006, '')
    }
    this.live.add(drop)
    return {
      get protocol() {
        return socket?.protocol ?? ''
      },
      get bufferedAmount() {
        return socket?.bufferedAmount ?? 0
      },
      listen: (to) => {
        listener = to
        if (!socket) return void setTimeout(() => end(1006, ''))
        socket.onopen = () => listener?.open?.()
        socket.onmessage = ({ data }) => {
          if (!listener) return
          this.add('in', String(data))
          listener.message(typeof data === 'string' ? data : null)
        }
        socket.onclose = ({ code, reason }) => end(code, reason)
      },
      send: (text, done) => {
        if (listener) this.add('out', text)
        socket?.send(text)
        done?.()
      },
      close: (code, reason) => socket?.close(code, reason),
      terminate: drop,
    }
  }

  private note(text: string): void {
    this.push('note', '', text)
  }

  private add(way: 'in' | 'out', text: string): void {
    this.push(way, /"t":"(\w+)"/.exec(text)?.[1] ?? '?', text)
  }

  private push(way: Frame['way'], type: string, text: string): void {
    this.frames = [...this.frames.slice(1 - KEPT), { id: this.count++, at: Date.now(), way, type, text }]
    for (const watch of this.watchers) watch()
  }
}
