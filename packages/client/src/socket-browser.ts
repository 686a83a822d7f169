import type { SocketFactory, SocketLike, SocketListener } from '@kithwire/protocol'

/** What we need of the platform's WebSocket class. */
interface StandardSocket {
  binaryType: string
  readonly protocol: string
  readonly bufferedAmount: number
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number; reason: string }) => void) | null
  onerror: (() => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

type StandardSocketClass = new (url: string, protocols: string[]) => StandardSocket

/** Sockets of the platform's global WebSocket. */
export const browserSocket: SocketFactory = (url, protocols) => {
  const { WebSocket } = globalThis as unknown as { WebSocket: StandardSocketClass }
  return adapt(new WebSocket(url, [...protocols]))
}

function adapt(socket: StandardSocket): SocketLike {
  let listener: SocketListener | undefined
  const end = (code: number, reason: string) => {
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null
    const last = listener
    listener = undefined
    last?.close(code, reason)
  }
  return {
    get protocol() {
      return socket.protocol
    },
    get bufferedAmount() {
      return socket.bufferedAmount
    },
    listen(to) {
      listener = to
      socket.onopen = () => listener?.open?.()
      socket.onmessage = ({ data }) => listener?.message(typeof data === 'string' ? data : null)
      socket.onclose = ({ code, reason }) => end(code, reason)
      // `close` follows, with all that a browser tells.
      socket.onerror = () => {}
    },
    send(text, done) {
      socket.send(text)
      done?.()
    },
    close(code, reason) {
      // Browsers take 1000 and 3000–4999 only.
      socket.close(code, reason)
    },
    terminate() {
      // A browser cannot drop a socket: it waits for the peer, for minutes if there is none. Nobody listens any more.
      socket.close()
      end(1006, '')
    },
  }
}
