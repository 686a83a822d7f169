import type { Runtime, Timer } from '@kithwire/protocol'

const TICK_MS = 100
const SLOTS = 512
/** A sweep over 10,000 sockets in one turn blocks the process for 209 ms; 200 take a few. */
const MOST_PER_TICK = 200

/** Later than this means that the process was paused: what peers did meanwhile has not been noticed yet. */
export const PAUSE_MS = 5_000

/**
 * Ms after which a peer that looks dead is looked at again: after a pause that was shorter, timers run before what has
 * arrived meanwhile is read.
 */
export const SECOND_LOOK_MS = 100

/** A timer of the wheel. `late` says by how many ms it runs after its time: the process was paused, or is too busy. */
export interface WheelTimer {
  tick: number
  due: number
  run: ((late: number) => void) | undefined
}

/**
 * Many coarse timers on one timer of the runtime (hashed timing wheel; Varghese and Lauck, 1987): 100 ms fine, never
 * early, at most 200 in one turn. Sleeps when it is empty.
 */
export class TimerWheel {
  /** Of each slot what was ever set there; most stay empty. */
  private readonly slots = new Array<Set<WheelTimer> | undefined>(SLOTS).fill(undefined)
  private done: number
  private timer: Timer | undefined
  private armedFor = Number.POSITIVE_INFINITY
  private count = 0

  constructor(
    private readonly runtime: Runtime,
    private readonly failed: (cause: unknown) => void,
  ) {
    this.done = this.current()
  }

  /** Timers that are set and have not run. */
  get size(): number {
    return this.count
  }

  set(run: (late: number) => void, ms: number): WheelTimer {
    const due = this.runtime.monotonic() + ms
    if (this.count === 0) this.done = Math.max(this.done, this.current() - 1)
    const tick = Math.max(Math.ceil(due / TICK_MS), this.done + 1)
    const timer: WheelTimer = { tick, due, run }
    this.slots[tick % SLOTS] ??= new Set()
    this.slots[tick % SLOTS]!.add(timer)
    this.count++
    if (tick < this.armedFor) this.arm(tick)
    return timer
  }

  clear(timer: WheelTimer | undefined): void {
    if (timer?.run === undefined) return
    timer.run = undefined
    this.slots[timer.tick % SLOTS]?.delete(timer)
    if (--this.count === 0) this.disarm()
  }

  private sweep(): void {
    this.disarm()
    const current = this.current()
    let left = MOST_PER_TICK
    for (let tick = Math.max(this.done + 1, current - SLOTS + 1); tick <= current && left > 0; tick++) {
      for (const timer of this.slots[tick % SLOTS] ?? []) {
        // A slot also holds what falls due in later rounds of the wheel.
        if (timer.tick > current) continue
        if (left-- === 0) break
        this.run(timer)
      }
      if (left >= 0) this.done = tick
    }
    if (this.count > 0) this.arm(left <= 0 ? current + 1 : this.next(current))
  }

  private run(timer: WheelTimer): void {
    const { run } = timer
    this.clear(timer)
    try {
      run?.(this.runtime.monotonic() - timer.due)
    } catch (cause) {
      this.failed(cause)
    }
  }

  private next(current: number): number {
    for (let tick = current + 1; tick < current + SLOTS; tick++) if (this.slots[tick % SLOTS]?.size) return tick
    return current + SLOTS
  }

  private arm(tick: number): void {
    this.disarm()
    this.armedFor = tick
    this.timer = this.runtime.setTimer(() => this.sweep(), Math.max(0, tick * TICK_MS - this.runtime.monotonic()))
  }

  private disarm(): void {
    if (this.timer !== undefined) this.runtime.clearTimer(this.timer)
    this.timer = undefined
    this.armedFor = Number.POSITIVE_INFINITY
  }

  private current(): number {
    return Math.floor(this.runtime.monotonic() / TICK_MS)
  }
}
