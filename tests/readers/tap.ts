import { type SocketFactory, type SocketLike, SUBPROTOCOL } from '@kithwire/protocol'
import { WebSocket } from 'ws'

/** A device's connection that can stop reading, as an app that hangs does, or a phone behind a dead link. */
export class Tap {
  private ws: WebSocket | undefined

  readonly socket: SocketFactory = (url, protocols): SocketLike => {
    const ws = new WebSocket(url, [...protocols], { perMessageDeflate: false })
    this.ws = ws
    ws.on('error', () => {})
    return {
      protocol: SUBPROTOCOL,
      get bufferedAmount() {
        return ws.bufferedAmount
      },
      listen(listener) {
        ws.on('open', () => listener.open?.())
        ws.on('message', (data, binary) => listener.message(binary ? null : data.toString()))
        ws.on('close', (code, reason) => listener.close(code, reason.toString()))
      },
      send: (text, done) => ws.send(text, () => done?.()),
      close: (code, reason) => ws.close(code, reason),
      terminate: () => ws.terminate(),
    }
  }

  /** Reads nothing any more. */
  shut(): void {
    this.ws?.pause()
  }

  /** Reads on, from where it stopped. */
  open(): void {
    this.ws?.resume()
  }

  /** The connection is gone; what had not been read is lost. */
  drop(): void {
    this.ws?.terminate()
  }
}
