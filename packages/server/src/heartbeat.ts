import type { Runtime } from '@kithwire/protocol'
import { PAUSE_MS, SECOND_LOOK_MS, type TimerWheel, type WheelTimer } from './timer-wheel.js'

/** What a heartbeat needs to know of a socket. */
export interface Beating {
  readonly inbound: {
    /** Frames that came so far, pings and pongs included. */
    readonly frames: number
    /** True while we ourselves do not read, so that silence means nothing. */
    readonly paused: boolean
  }
  ping(): void
  dead(): void
}

export interface HeartbeatOptions {
  wheel: TimerWheel
  runtime: Runtime
  heartbeatMs: number
  deadMs: number
}

/** Pings one socket every `heartbeatMs` ± 20 % and reports it dead when nothing came for `deadMs` after a ping. */
export class Heartbeat {
  private timer: WheelTimer | undefined
  private pingedAt = 0
  private framesThen = 0

  constructor(
    private readonly peer: Beating,
    private readonly options: HeartbeatOptions,
  ) {
    this.timer = options.wheel.set(() => this.beat(), this.interval())
  }

  stop(): void {
    this.options.wheel.clear(this.timer)
    this.timer = undefined
  }

  private beat(): void {
    this.pingedAt = this.options.runtime.monotonic()
    this.framesThen = this.peer.inbound.frames
    // Before the next ping, however short the heartbeat was made.
    const patience = Math.min(this.options.deadMs, this.options.heartbeatMs * 0.8)
    this.timer = this.options.wheel.set((late) => this.judge(late), patience)
    this.peer.ping()
  }

  private judge(late: number, again = false): void {
    const { runtime, wheel } = this.options
    const { frames, paused } = this.peer.inbound
    if (frames === this.framesThen && !paused) {
      if (late > PAUSE_MS) this.beat()
      else if (again) this.peer.dead()
      else this.timer = wheel.set((later) => this.judge(later, true), SECOND_LOOK_MS)
      return
    }
    const next = this.pingedAt + this.interval() - runtime.monotonic()
    this.timer = wheel.set(() => this.beat(), Math.max(0, next))
  }

  /** Spread, so that sockets that came together do not stay together. */
  private interval(): number {
    return this.options.heartbeatMs * (0.8 + 0.4 * this.options.runtime.random())
  }
}

/** Calls `run` whenever nothing was sent for `ms`; as exact as the wheel, unlike a check with each ping. */
export class IdleTimer {
  private timer: WheelTimer | undefined

  constructor(
    private readonly wheel: TimerWheel,
    private readonly runtime: Runtime,
    private readonly ms: number,
    private readonly lastSent: () => number,
    private readonly run: () => void,
  ) {
    this.arm(ms)
  }

  stop(): void {
    this.wheel.clear(this.timer)
    this.timer = undefined
  }

  private arm(ms: number): void {
    this.timer = this.wheel.set(() => {
      const left = this.lastSent() + this.ms - this.runtime.monotonic()
      if (left > 0) return this.arm(left)
      this.arm(this.ms)
      this.run()
    }, ms)
  }
}
