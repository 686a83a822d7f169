import type { SocketListener } from '@kithwire/protocol'

/** What a session does when its socket has something for it. */
export interface SocketOwner {
  /** One frame; `null` stands for a binary one. */
  received(text: string | null): void
  /** A ping or a pong came. */
  heard(): void
  /** The socket's own end. */
  gone(code: number): void
}

/** A socket's listener: one small object for each, where three closures and their scope would be a fifth of a kilobyte. */
export class SocketEvents implements SocketListener {
  constructor(private readonly owner: SocketOwner) {}

  message(text: string | null): void {
    this.owner.received(text)
  }

  alive(): void {
    this.owner.heard()
  }

  close(code: number): void {
    this.owner.gone(code)
  }
}
