import { RawSocket } from './raw-socket.js'

/** What a line tells the person whose it is. */
export interface LineEvents {
  /** It may be sent on. */
  ready(): void
  /** The server has told that it has this message of ours. */
  acknowledged(n: number): void
  /** Message `n` of the friend is there, in the order that the protocol gives to an app. */
  arrived(n: number): void
  lost(): void
}

export interface LineTarget {
  port: number
  user: string
  friend: string
  conversation: string
}

/** What is said. 100 bytes that begin with the number of the message. */
export const bodyOf = (n: number): string => `${n} `.padEnd(100, 'kithwire ')

export const numberOf = (body: string): number => Number.parseInt(body, 10)

/** One connection of one device, in the protocol of one peer. It lives on when the connection is lost. */
export abstract class Line {
  private socket: RawSocket | undefined

  constructor(
    protected readonly target: LineTarget,
    protected readonly events: LineEvents,
  ) {}

  connect(): void {
    const socket: RawSocket = new RawSocket(this.target.port, this.path, this.protocol, {
      open: () => this.opened(),
      text: (text) => this.received(text),
      close: () => {
        if (this.socket !== socket) return
        this.socket = undefined
        this.ended()
        this.events.lost()
      },
    })
    this.socket = socket
  }

  destroy(): void {
    this.socket?.destroy()
    this.socket = undefined
    this.ended()
  }

  /** Sends messages that are new, or whose outcome is unknown. */
  abstract send(numbers: readonly number[]): void

  /** Forgets what the device has: it comes anew. */
  forget(): void {}

  /** Called every 50 ms while the load runs. */
  tick(_now: number): void {}

  protected get path(): string {
    return `/?user=${this.target.user}`
  }

  protected get protocol(): string | undefined {
    return undefined
  }

  protected abstract opened(): void
  protected abstract received(text: string): void
  protected ended(): void {}

  protected write(text: string): void {
    this.socket?.send(text)
  }
}
