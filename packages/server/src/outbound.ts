import type { Runtime, SocketLike } from '@kithwire/protocol'

export interface OutboundOptions {
  socket: SocketLike
  runtime: Runtime
  limits: { softBuffer: number; hardBuffer: number; stallMs: number }
  /** The peer reads too slowly to be kept. */
  overflow(): void
  /** Most of what was buffered is gone. */
  drained(): void
}

/** The sending side of one socket: how much is buffered, and whether it moves. */
export class Outbound {
  /** Monotonic ms of the last frame that was handed over. */
  lastSent: number
  private unsent = 0
  private movedAt: number
  private readonly waiting: (() => void)[] = []

  constructor(private readonly options: OutboundOptions) {
    this.lastSent = this.movedAt = options.runtime.monotonic()
  }

  get buffered(): number {
    return this.options.socket.bufferedAmount
  }

  /** Whether pushes should be skipped. */
  get slow(): boolean {
    return this.buffered > this.options.limits.softBuffer
  }

  /** Whether enough of the buffer is gone to begin again: well below the mark, so that it does not flap. */
  get clear(): boolean {
    return this.buffered <= this.options.limits.softBuffer / 4
  }

  send(text: string): void {
    const { socket, runtime, limits } = this.options
    this.lastSent = runtime.monotonic()
    if (this.unsent++ === 0) this.movedAt = this.lastSent
    socket.send(text, this.sent)
    if (socket.bufferedAmount > limits.hardBuffer) this.options.overflow()
    else this.check()
  }

  /** Reports an overflow if nothing has moved for too long. */
  check(): void {
    const { runtime, limits } = this.options
    if (this.unsent > 0 && runtime.monotonic() - this.movedAt > limits.stallMs) this.options.overflow()
  }

  /** Resolves once the buffer is clear, or at `release`. */
  whenClear(): Promise<void> {
    if (this.clear) return Promise.resolve()
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  /** Lets go of whoever waits: the socket is gone. */
  release(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }

  private readonly sent = (): void => {
    this.unsent--
    this.movedAt = this.options.runtime.monotonic()
    if (!this.clear) return
    this.release()
    this.options.drained()
  }
}
