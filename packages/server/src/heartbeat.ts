import type { Context } from './context.js'
import { Alarm, PAUSE_MS, SECOND_LOOK_MS } from './timer-wheel.js'

type Parts = Pick<Context, 'wheel' | 'runtime'> & {
  readonly limits: Pick<Context['limits'], 'heartbeatMs' | 'deadMs'>
}

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

/** Pings one socket every `heartbeatMs` ± 20 % and reports it dead when nothing came for `deadMs` after a ping. */
export class Heartbeat extends Alarm {
  private next: 'beat' | 'judge' | 'judge again' = 'beat'
  private pingedAt = 0
  private framesThen = 0

  constructor(
    private readonly peer: Beating,
    private readonly parts: Parts,
  ) {
    super()
    this.arm('beat', this.interval())
  }

  stop(): void {
    this.parts.wheel.clear(this)
  }

  ring(late: number): void {
    if (this.next === 'beat') this.beat()
    else this.judge(late, this.next === 'judge again')
  }

  private arm(next: Heartbeat['next'], ms: number): void {
    this.next = next
    this.parts.wheel.start(this, ms)
  }

  private beat(): void {
    const { deadMs, heartbeatMs } = this.parts.limits
    this.pingedAt = this.parts.runtime.monotonic()
    this.framesThen = this.peer.inbound.frames
    // Before the next ping, however short the heartbeat was made.
    this.arm('judge', Math.min(deadMs, heartbeatMs * 0.8))
    this.peer.ping()
  }

  private judge(late: number, again: boolean): void {
    const { frames, paused } = this.peer.inbound
    if (frames === this.framesThen && !paused) {
      if (late > PAUSE_MS) this.beat()
      else if (again) this.peer.dead()
      else this.arm('judge again', SECOND_LOOK_MS)
      return
    }
    this.arm('beat', Math.max(0, this.pingedAt + this.interval() - this.parts.runtime.monotonic()))
  }

  /** Spread, so that sockets that came together do not stay together. */
  private interval(): number {
    return this.parts.limits.heartbeatMs * (0.8 + 0.4 * this.parts.runtime.random())
  }
}

/** Who says something when it has said nothing for a while. */
export interface Talker {
  /** `lastSent`: monotonic ms. */
  readonly outbound: { readonly lastSent: number }
  idle(): void
}

/** Calls `idle` whenever nothing was sent for `heartbeatMs`; as exact as the wheel, unlike a check with each ping. */
export class IdleTimer extends Alarm {
  constructor(
    private readonly talker: Talker,
    private readonly parts: Parts,
  ) {
    super()
    parts.wheel.start(this, parts.limits.heartbeatMs)
  }

  stop(): void {
    this.parts.wheel.clear(this)
  }

  ring(): void {
    const { wheel, runtime, limits } = this.parts
    const left = this.talker.outbound.lastSent + limits.heartbeatMs - runtime.monotonic()
    wheel.start(this, left > 0 ? left : limits.heartbeatMs)
    if (left <= 0) this.talker.idle()
  }
}
