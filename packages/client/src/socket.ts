import type { SocketFactory } from '@kithwire/protocol'
import NodeSocket from 'isomorphic-ws'

/**
 * What a plain HTTP answer to a handshake means, as a close code. Any other is one of a network that wants a sign-in, or
 * of a proxy, and is tried again: the server itself says a final no with a close code, as a browser could not see this.
 */
const REFUSED = new Map([
  [429, 1013],
  [503, 1013],
])

/** Sockets of the `ws` package. */
export const nodeSocket: SocketFactory = (url, protocols) => {
  const socket = new NodeSocket(url, [...protocols], { perMessageDeflate: false })
  return {
    get protocol() {
      return socket.protocol
    },
    get bufferedAmount() {
      return socket.bufferedAmount
    },
    listen(listener) {
      let refused: [code: number, reason: string] | undefined
      let failure = ''
      socket.on('open', () => listener.open?.())
      socket.on('message', (data, binary) => listener.message(binary ? null : data.toString()))
      socket.on('ping', () => listener.alive?.())
      socket.on('pong', () => listener.alive?.())
      socket.on('unexpected-response', (request, response) => {
        const status = response.statusCode ?? 0
        refused = [REFUSED.get(status) ?? 1006, `HTTP ${status}`]
        response.resume()
        request.destroy()
        socket.terminate()
      })
      // `close` follows each error.
      socket.on('error', (error) => {
        failure = error.message
      })
      socket.on('close', (code, reason) => listener.close(...(refused ?? [code, reason.toString() || failure])))
    },
    send(text, done) {
      socket.send(text, () => done?.())
    },
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    ping() {
      if (socket.readyState === socket.OPEN) socket.ping()
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  }
}
