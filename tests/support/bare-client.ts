import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A bare frame as the article's clients send it. */
export interface BareFrame {
  friend: string
  from: string
  to: string
  content: string
  type: string
}

/** A bare frame as they receive it, and a row of the history. */
export interface BareMessage extends BareFrame {
  _id: string
  createdAt: number
  seq: number
}

/** A WebSocket with nothing of Kithwire in it, as wscat or a browser's console would open. */
export class BareClient {
  /** All frames so far, parsed. */
  readonly received: BareMessage[] = []
  /** Settles with the code once the socket is closed. */
  readonly closed: Promise<number>
  private waiting: { count: number; resolve(): void }[] = []

  private constructor(readonly socket: WebSocket) {
    this.closed = once(socket, 'close').then(([code]) => code as number)
    socket.on('error', () => {})
    socket.on('message', (data, binary) => {
      if (binary) throw new Error('a binary frame')
      this.received.push(JSON.parse(String(data)))
      this.waiting = this.waiting.filter(({ count, resolve }) => {
        if (this.received.length < count) return true
        resolve()
        return false
      })
    })
  }

  /** Connects; rejects if the handshake is refused. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<BareClient> {
    const client = new BareClient(new WebSocket(url, { headers }))
    await once(client.socket, 'open')
    return client
  }

  send(frame: BareFrame | object): void {
    this.socket.send(JSON.stringify(frame))
  }

  /** Settles once this many frames came, with all of them; rejects if the socket closes before. */
  async atLeast(count: number): Promise<BareMessage[]> {
    if (this.received.length >= count) return this.received
    const enough = new Promise<void>((resolve) => this.waiting.push({ count, resolve }))
    const over = this.closed.then((code) => {
      throw new Error(`closed ${code} after ${this.received.length} of ${count} frames`)
    })
    await Promise.race([enough, over])
    return this.received
  }

  async close(): Promise<void> {
    this.socket.close()
    await this.closed
  }
}
