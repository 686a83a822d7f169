import type { Runtime, Timer } from '@kithwire/protocol'

/** Silence of this many heartbeats is death: one may be lost on the way, none twice. */
const PATIENCE = 2.2
/** Ms by which a timer may be late before it means that the device slept. */
const LATE = 5_000
/** Ms that a probe may take. */
export const PROBE_MS = 3_000

export interface WatchdogHooks {
  /** The socket is dead. */
  dead(): void
  /** Nobody knows: ask with a ping. */
  doubt(): void
}

/**
 * Watches one socket for silence. It measures on the wall clock, which alone goes on while a device sleeps, and looks
 * at each message, at each wake-up and by timer: hidden tabs run timers once a minute, sleeping devices not at all.
 */
export class Watchdog {
  private last: number
  private due = 0
  private timer: Timer

  /** @param heartbeat ms between heartbeats of the server, from `welcome`. */
  constructor(
    private readonly runtime: Runtime,
    private readonly heartbeat: number,
    private readonly hooks: WatchdogHooks,
  ) {
    this.last = runtime.now()
    this.arm(this.limit)
  }

  /** A frame came. After a sleep it may have waited in a buffer since before: that proves nothing. */
  alive(): void {
    const silence = this.silence()
    this.last = this.runtime.now()
    if (silence > this.limit) this.hooks.doubt()
  }

  stop(): void {
    this.runtime.clearTimer(this.timer)
  }

  private get limit(): number {
    return Math.ceil(PATIENCE * this.heartbeat)
  }

  private silence(): number {
    const now = this.runtime.now()
    // The wall clock was set back: measure from here.
    if (now < this.last) this.last = now
    return now - this.last
  }

  private arm(ms: number): void {
    this.due = this.runtime.now() + ms
    this.timer = this.runtime.setTimer(() => this.check(), ms)
  }

  private check(): void {
    const late = Math.abs(this.runtime.now() - this.due) > LATE
    const rest = this.limit - this.silence()
    this.arm(rest > 0 ? rest : this.limit)
    if (rest > 0) return
    // A timer that is late, or a clock that jumped, says nothing about the socket.
    if (late) this.hooks.doubt()
    else this.hooks.dead()
  }
}
