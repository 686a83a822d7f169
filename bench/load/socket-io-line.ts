import { bodyOf, Line, numberOf } from './line.js'

/**
 * Socket.IO 4 over Engine.IO 4, on WebSocket alone: an event with an acknowledgement for each message. Where the peer
 * stores, a device that comes back asks for what it has not seen.
 */
export class SocketIoLine extends Line {
  /** The id of the newest message that this device has, for peers that store. */
  private newest = 0
  private asking = false

  constructor(
    private readonly stores: boolean,
    ...rest: ConstructorParameters<typeof Line>
  ) {
    super(...rest)
  }

  protected override get path(): string {
    return `/socket.io/?EIO=4&transport=websocket&user=${this.target.user}`
  }

  override forget(): void {
    this.newest = 0
  }

  protected opened(): void {}

  protected received(text: string): void {
    switch (text.slice(0, 2)) {
      case '42':
        // What comes live before the page that was asked for is in it.
        if (!this.asking) this.arrived(JSON.parse(text.slice(2))[1])
        break
      case '43':
        this.answered(text)
        break
      case '40':
        if (this.stores) this.ask()
        else this.events.ready()
        break
      default:
        if (text[0] === '0') this.write('40')
        else if (text === '2') this.write('3')
    }
  }

  private arrived({ id, body }: { id?: number; body: string }): void {
    if (id !== undefined) this.newest = id
    this.events.arrived(numberOf(body))
  }

  private answered(text: string): void {
    const start = text.indexOf('[')
    const id = Number(text.slice(2, start))
    // Acknowledgement 0 is that of a page.
    if (id > 0) {
      this.events.acknowledged(id)
      return
    }
    const [rows, more] = JSON.parse(text.slice(start))
    for (const row of rows) this.arrived(row)
    if (more) {
      this.ask()
      return
    }
    this.asking = false
    this.events.ready()
  }

  private ask(): void {
    this.asking = true
    this.write(`420["since",${this.newest}]`)
  }

  send(numbers: readonly number[]): void {
    const { friend } = this.target
    for (const n of numbers) this.write(`42${n}["message",${JSON.stringify({ to: friend, body: bodyOf(n) })}]`)
  }
}
