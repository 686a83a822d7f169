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

/**
 * Something that a wheel wakes up. Where each socket has one it is part of what it wakes, since there are many; it is
 * set on one wheel, and once at a time.
 */
export abstract class Alarm {
  /** Of the wheel, when it rings; 0 while it is not set. */
  tick = 0

  /** @param late ms after its time: the process was paused, or is too busy */
  abstract ring(late: number): void
}

/** An alarm for one call. */
class Call extends Alarm {
  constructor(private readonly run: (late: number) => void) {
    super()
  }

  ring(late: number): void {
    this.run(late)
  }
}

export type WheelTimer = Alarm

/**
 * Many coarse timers on one timer of the runtime (hashed timing wheel; Varghese and Lauck, 1987): 100 ms fine, never
 * early, at most 200 in one turn. Sleeps when it is empty.
 */
export class TimerWheel {
  /** Of each slot what was ever set there; most stay empty. */
  private readonly slots = new Array<Set<Alarm> | undefined>(SLOTS).fill(undefined)
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
    const call = new Call(run)
    this.start(call, ms)
    return call
  }

  /** Sets an alarm, or sets it anew. */
  start(alarm: Alarm, ms: number): void {
    this.clear(alarm)
    if (this.count === 0) this.done = Math.max(this.done, this.current() - 1)
    const tick = Math.max(Math.ceil((this.runtime.monotonic() + ms) / TICK_MS), this.done + 1)
    alarm.tick = tick
    this.slots[tick % SLOTS] ??= new Set()
    this.slots[tick % SLOTS]!.add(alarm)
    this.count++
    if (tick < this.armedFor) this.arm(tick)
  }

  clear(alarm: Alarm | undefined): void {
    if (alarm === undefined || alarm.tick === 0) return
    this.slots[alarm.tick % SLOTS]?.delete(alarm)
    alarm.tick = 0
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

  private run(alarm: Alarm): void {
    const late = this.runtime.monotonic() - alarm.tick * TICK_MS
    this.clear(alarm)
    try {
      alarm.ring(late)
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
