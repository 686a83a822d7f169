import type { Runtime } from '../runtime.js'
import type { SocketLike, SocketListener } from '../socket.js'

export interface PairOptions {
  /** Ms that a frame takes, asked for each one. Frames never overtake each other. @default 0 */
  latency?: () => number
  /** The subprotocol both ends report. @default '' */
  protocol?: string
}

/** One end of a pair, with what a test wants to see and to break. */
export interface PairedSocket extends Required<SocketLike> {
  /** Every frame this end sent, in order. */
  readonly sent: readonly string[]
  readonly closed: boolean
  /** While true, what is sent to this end waits in the sender's buffer, as when a reader stops reading. */
  stalled: boolean
  /** Takes the cable away: nothing arrives any more in either direction, and nobody is told. */
  cut(): void
}

/** Two sockets joined by a wire that keeps order. The first is the client's; its `open` is called in a later turn. */
export function socketPair(runtime: Runtime, options: PairOptions = {}): [client: PairedSocket, server: PairedSocket] {
  const wire = { cut: false }
  const client = new Paired(runtime, options, wire)
  const server = new Paired(runtime, options, wire)
  client.peer = server
  server.peer = client
  runtime.setTimer(() => client.opened(), options.latency?.() ?? 0)
  return [client, server]
}

type Delivery = { text: string; done: (() => void) | undefined }

class Paired implements PairedSocket {
  readonly sent: string[] = []
  readonly protocol: string
  bufferedAmount = 0
  closed = false
  peer!: Paired
  private listener: SocketListener | undefined
  private inbox: Delivery[] = []
  private paused = false
  private stall = false
  private lastArrival = 0

  constructor(
    private readonly runtime: Runtime,
    private readonly options: PairOptions,
    private readonly wire: { cut: boolean },
  ) {
    this.protocol = options.protocol ?? ''
  }

  listen(listener: SocketListener): void {
    this.listener = listener
  }

  send(text: string, done?: () => void): void {
    if (this.closed) {
      if (done) this.runtime.setTimer(done, 0)
      return
    }
    this.sent.push(text)
    this.bufferedAmount += text.length
    this.travel(() => {
      this.peer.inbox.push({ text, done })
      this.peer.drain()
    })
  }

  close(code = 1005, reason = ''): void {
    if (this.closed) return
    this.closed = true
    this.travel(() => this.peer.ended(code, reason))
    this.travel(() => this.finish(code, reason))
  }

  terminate(): void {
    if (this.closed && this.listener === undefined) return
    this.closed = true
    this.travel(() => this.peer.ended(1006, ''))
    this.runtime.setTimer(() => this.finish(1006, ''), 0)
  }

  ping(): void {
    this.travel(() => {
      if (this.peer.closed) return
      this.peer.listener?.alive?.()
      this.peer.travel(() => this.listener?.alive?.())
    })
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.drain()
  }

  get stalled(): boolean {
    return this.stall
  }

  set stalled(value: boolean) {
    this.stall = value
    this.drain()
  }

  cut(): void {
    this.wire.cut = true
  }

  opened(): void {
    if (!this.closed && !this.wire.cut) this.listener?.open?.()
  }

  private travel(arrive: () => void): void {
    const at = Math.max(this.runtime.monotonic() + (this.options.latency?.() ?? 0), this.lastArrival)
    this.lastArrival = at
    this.runtime.setTimer(() => {
      if (!this.wire.cut) arrive()
    }, at - this.runtime.monotonic())
  }

  private drain(): void {
    while (!this.paused && !this.stall && this.inbox.length > 0) {
      const { text, done } = this.inbox.shift()!
      this.peer.bufferedAmount -= text.length
      done?.()
      if (!this.closed) this.listener?.message(text)
    }
  }

  private ended(code: number, reason: string): void {
    if (this.closed) return
    this.stall = false
    this.drain()
    this.closed = true
    this.finish(code, reason)
  }

  private finish(code: number, reason: string): void {
    const listener = this.listener
    this.listener = undefined
    for (const { done } of this.inbox.splice(0)) done?.()
    listener?.close(code, reason)
  }
}
