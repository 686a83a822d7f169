import type { Runtime, Timer } from '../runtime.js'
import type { FakeClock } from './fake-clock.js'

interface DeviceTimer {
  run: (() => void) | undefined
  /** On the device's own monotonic clock. */
  due: number
  armed: Timer
}

/** Ms to which timers of a hidden page are put off, as browsers do. */
const HIDDEN_MS = 60_000

/**
 * The clocks and timers of one device or process on a `FakeClock`. While it sleeps nothing of it runs and its monotonic
 * clock stands still; the wall clock goes on. When it wakes up its timers have as much left as before.
 */
export class DeviceClock implements Runtime {
  /** A hidden page runs its timers once a minute. What is set before stays as it is. */
  hidden = false
  private readonly timers = new Set<DeviceTimer>()
  private asleepAt: number | undefined
  private slept = 0
  private dead = false

  constructor(private readonly clock: FakeClock) {}

  get asleep(): boolean {
    return this.asleepAt !== undefined
  }

  now(): number {
    return this.clock.now()
  }

  monotonic(): number {
    return (this.asleepAt ?? this.clock.monotonic()) - this.slept
  }

  random(): number {
    return this.clock.random()
  }

  bytes(length: number): Uint8Array {
    return this.clock.bytes(length)
  }

  setTimer(run: () => void, ms: number): Timer {
    const timer: DeviceTimer = { run, due: this.monotonic() + Math.max(0, ms), armed: undefined }
    if (this.dead) return timer
    // A browser lets a hidden page's timers wait for the next whole minute.
    if (this.hidden) timer.due = Math.ceil(timer.due / HIDDEN_MS) * HIDDEN_MS
    this.timers.add(timer)
    this.arm(timer)
    return timer
  }

  clearTimer(timer: Timer): void {
    const known = timer as DeviceTimer | undefined
    if (known === undefined) return
    known.run = undefined
    this.clock.clearTimer(known.armed)
    this.timers.delete(known)
  }

  sleep(): void {
    if (this.asleep) return
    this.asleepAt = this.clock.monotonic()
    for (const { armed } of this.timers) this.clock.clearTimer(armed)
  }

  wake(): void {
    if (this.asleepAt === undefined || this.dead) return
    this.slept += this.clock.monotonic() - this.asleepAt
    this.asleepAt = undefined
    for (const timer of this.timers) this.arm(timer)
  }

  /** The process is gone: no timer of it runs any more. */
  kill(): void {
    this.dead = true
    this.sleep()
    this.timers.clear()
  }

  private arm(timer: DeviceTimer): void {
    if (this.asleep) return
    timer.armed = this.clock.setTimer(() => {
      this.timers.delete(timer)
      timer.run?.()
    }, timer.due - this.monotonic())
  }
}
