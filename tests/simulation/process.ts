import type { Runtime, Timer } from '@kithwire/protocol'
import type { FakeClock, SeededRandom } from '@kithwire/protocol/testing'

/** What a process reports to the world when its code throws where nobody catches. */
export type Crash = (process: Process, error: unknown) => void

/**
 * A Runtime that can be killed and paused. When it is killed its timers die, its sockets break and the promises that it
 * waits for never settle; that is all that a `kill -9` leaves of a process.
 */
export class Process implements Runtime {
  alive = true
  private readonly timers = new Set<Timer>()
  private readonly exits: (() => void)[] = []
  /** What fell due while the process was paused: timers, which an event loop runs first, and everything else. */
  private timersDue: (() => void)[] = []
  private backlog: (() => void)[] = []
  /** Was paused, or its clock jumped, at least once: what it and others think of each other may be its own fault. */
  slept = false
  private pausedUntil = 0
  private skew = 0

  constructor(
    readonly name: string,
    private readonly clock: FakeClock,
    private readonly source: SeededRandom,
    private readonly crashed: Crash,
  ) {}

  now(): number {
    return this.clock.now() + this.skew
  }

  monotonic(): number {
    return this.clock.monotonic()
  }

  random(): number {
    return this.source.next()
  }

  bytes(length: number): Uint8Array {
    return this.source.bytes(length)
  }

  setTimer(run: () => void, ms: number): Timer {
    if (!this.alive) return undefined
    const timer = this.clock.setTimer(() => {
      // A paused timer stays cancellable: it is looked up again when its turn comes.
      this.deliver(() => {
        if (this.timers.delete(timer)) run()
      }, this.timersDue)
    }, ms)
    this.timers.add(timer)
    return timer
  }

  clearTimer(timer: Timer): void {
    if (!this.timers.delete(timer)) return
    this.clock.clearTimer(timer)
  }

  /** Timers that are set and have not run. */
  get pendingTimers(): number {
    return this.timers.size
  }

  /** Runs something from outside (a frame, a timer, a callback) in this process: later if paused, never if dead. */
  deliver(run: () => void, queue = this.backlog): void {
    if (!this.alive) return
    if (this.late || this.clock.monotonic() < this.pausedUntil) queue.push(run)
    else this.guard(run)
  }

  /** As `deliver`, in a turn of its own. */
  post(run: () => void): void {
    this.clock.setTimer(() => this.deliver(run), 0)
  }

  /** A promise as this process sees it: once dead, it waits for ever. */
  awaits<T>(start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      start(
        (value) => this.deliver(() => resolve(value)),
        (error) => this.deliver(() => reject(error)),
      )
    })
  }

  /** Stops the process for a while, as a debugger, a full disk cache or a closed lid does. */
  pause(ms: number): void {
    const first = !this.late && this.clock.monotonic() >= this.pausedUntil
    this.slept = true
    this.pausedUntil = Math.max(this.pausedUntil, this.clock.monotonic() + ms)
    if (first) this.clock.setTimer(() => this.wake(), ms)
  }

  /** Ends a pause. */
  unpause(): void {
    if (this.clock.monotonic() >= this.pausedUntil) return
    this.pausedUntil = this.clock.monotonic()
    this.clock.setTimer(() => this.wake(), 0)
  }

  /** Moves the wall clock of this process. */
  jump(ms: number): void {
    this.slept = true
    this.skew += ms
  }

  /** Called once when the process is killed. */
  onExit(run: () => void): void {
    this.exits.push(run)
  }

  kill(): void {
    if (!this.alive) return
    this.alive = false
    for (const timer of this.timers) this.clock.clearTimer(timer)
    this.timers.clear()
    this.backlog = []
    this.timersDue = []
    for (const exit of this.exits.splice(0)) exit()
  }

  private get late(): boolean {
    return this.timersDue.length + this.backlog.length > 0
  }

  private wake(): void {
    if (!this.alive) return
    const left = this.pausedUntil - this.clock.monotonic()
    if (left > 0) {
      this.clock.setTimer(() => this.wake(), left)
      return
    }
    if (!this.late) return
    const queue = this.timersDue.length > 0 ? this.timersDue : this.backlog
    this.guard(queue[0]!)
    // One at a time, so that promises run in between; what arrives meanwhile queues behind.
    queue.shift()
    if (this.late) this.clock.setTimer(() => this.wake(), 0)
  }

  private guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.crashed(this, error)
    }
  }
}
