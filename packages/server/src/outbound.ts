import type { Runtime, SocketLike } from '@kithwire/protocol'
import { PAUSE_MS, SECOND_LOOK_MS, type TimerWheel, type WheelTimer } from './timer-wheel.js'

export interface OutboundOptions {
  socket: SocketLike
  runtime: Runtime
  wheel: TimerWheel
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
  private watch: WheelTimer | undefined
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
    if (this.watch === undefined) this.watchFor(limits.stallMs)
    socket.send(text, this.sent)
    if (socket.bufferedAmount > limits.hardBuffer) this.options.overflow()
  }

  /** Resolves once the buffer is clear, or when the socket is gone. */
  whenClear(): Promise<void> {
    if (this.clear) return Promise.resolve()
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  /** The socket is gone: lets go of whoever waits. */
  stop(): void {
    this.options.wheel.clear(this.watch)
    this.watch = undefined
    this.release()
  }

  /** Looks again after `ms`, so that a socket that moves costs one timer in `stallMs` and none when it is idle. */
  private watchFor(ms: number, again = false): void {
    const { runtime, wheel, limits, overflow } = this.options
    this.watch = wheel.set((late) => {
      this.watch = undefined
      if (this.unsent === 0) return
      const left = this.movedAt + limits.stallMs - runtime.monotonic()
      if (left > 0) this.watchFor(left)
      // After a pause of the process what moved meanwhile has not been noticed yet.
      else if (late > PAUSE_MS) this.watchFor(PAUSE_MS)
      else if (again) overflow()
      else this.watchFor(SECOND_LOOK_MS, true)
    }, ms)
  }

  private release(): void {
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
