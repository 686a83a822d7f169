import type { SocketFactory, SocketLike } from '@kithwire/protocol'
import type { Intent, Ledger } from './ledger.js'
import type { Process } from './process.js'

/** The article's client: bare frames, no acknowledgement, and a reload of the page when the socket has closed. */
export class LegacyClient {
  private socket: SocketLike | undefined
  private open = false
  private connections = 0
  private closing = false

  constructor(
    private readonly process: Process,
    private readonly factory: SocketFactory,
    private readonly ledger: Ledger,
    private readonly user: string,
    private readonly host: string,
  ) {
    this.connect()
  }

  send(conversation: string, to: string, content: string): Intent | undefined {
    if (!this.open) return undefined
    const { user, host } = this
    // Nothing tells the server that two sockets are one device, so what each of them sends has an order of its own.
    const tab = `${host}.${this.connections}`
    const intent = this.ledger.sending({ user, device: host, tab, conversation, content, legacy: true })
    this.socket!.send(JSON.stringify({ friend: conversation, from: this.user, to, content, type: 'text' }))
    return intent
  }

  close(): void {
    this.closing = true
    this.socket?.close(1000)
  }

  private connect(): void {
    this.connections++
    const socket = this.factory(`ws://sim/ws/${this.user}`, [])
    this.socket = socket
    socket.listen({
      open: () => {
        this.open = true
      },
      message: () => {},
      close: () => {
        this.open = false
        if (!this.closing) this.process.setTimer(() => this.connect(), 500 + this.process.random() * 2_000)
      },
    })
  }
}
