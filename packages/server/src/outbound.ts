import type { SocketLike } from '@kithwire/protocol'
import type { Context } from './context.js'
import { Alarm, PAUSE_MS, SECOND_LOOK_MS } from './timer-wheel.js'

type Parts = Pick<Context, 'runtime' | 'wheel'> & {
  readonly limits: Pick<Context['limits'], 'softBuffer' | 'hardBuffer' | 'stallMs'>
}

export interface OutboundOwner {
  /** The peer reads too slowly to be kept. */
  overflow(): void
  /** Most of what was buffered is gone. */
  drained(): void
}

/** The sending side of one socket: how much is buffered, and whether it moves. */
export class Outbound extends Alarm {
  /** Monotonic ms of the last frame that was handed over. */
  lastSent: number
  private unsent = 0
  private movedAt: number
  /** Nothing had moved at the last look either. */
  private stuck = false
  private waiting: (() => void)[] | undefined

  constructor(
    private readonly socket: SocketLike,
    private readonly parts: Parts,
    private readonly owner: OutboundOwner,
  ) {
    super()
    this.lastSent = this.movedAt = parts.runtime.monotonic()
  }

  get buffered(): number {
    return this.socket.bufferedAmount
  }

  /** Whether pushes should be skipped. */
  get slow(): boolean {
    return this.buffered > this.parts.limits.softBuffer
  }

  /** Whether enough of the buffer is gone to begin again: well below the mark, so that it does not flap. */
  get clear(): boolean {
    return this.buffered <= this.parts.limits.softBuffer / 4
  }

  send(text: string): void {
    const { socket } = this
    const { runtime, limits } = this.parts
    this.lastSent = runtime.monotonic()
    if (this.unsent++ === 0) this.movedAt = this.lastSent
    if (this.tick === 0) this.watchFor(limits.stallMs)
    socket.send(text, this.sent)
    if (socket.bufferedAmount > limits.hardBuffer) this.owner.overflow()
  }

  /** Resolves once the buffer is clear, or when the socket is gone. */
  whenClear(): Promise<void> {
    if (this.clear) return Promise.resolve()
    return new Promise((resolve) => {
      this.waiting ??= []
      this.waiting.push(resolve)
    })
  }

  /** The socket is gone: lets go of whoever waits. */
  stop(): void {
    this.parts.wheel.clear(this)
    this.release()
  }

  /** Looks whether the buffer moves. */
  ring(late: number): void {
    const { runtime, limits } = this.parts
    const { stuck } = this
    this.stuck = false
    if (this.unsent === 0) return
    const left = this.movedAt + limits.stallMs - runtime.monotonic()
    if (left > 0) this.watchFor(left)
    // After a pause of the process what moved meanwhile has not been noticed yet.
    else if (late > PAUSE_MS) this.watchFor(PAUSE_MS)
    else if (stuck) this.owner.overflow()
    else {
      this.stuck = true
      this.watchFor(SECOND_LOOK_MS)
    }
  }

  /** Looks again after `ms`, so that a socket that moves costs one timer in `stallMs` and none when it is idle. */
  private watchFor(ms: number): void {
    this.parts.wheel.start(this, ms)
  }

  private release(): void {
    const { waiting } = this
    this.waiting = undefined
    for (const resolve of waiting ?? []) resolve()
  }

  private readonly sent = (): void => {
    this.unsent--
    this.movedAt = this.parts.runtime.monotonic()
    if (!this.clear) return
    this.release()
    this.owner.drained()
  }
}
