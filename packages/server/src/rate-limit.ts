import type { Runtime, Timer } from '@kithwire/protocol'

/** A token bucket (Turner, 1986): `burst` at once, `rate` a second in the long run. Time is passed in, in ms. */
export class TokenBucket {
  /** In thousandths of a token: exact for whole ms, so that who waits as long as told is not told again. */
  private level: number

  constructor(
    private readonly rate: number,
    private readonly burst: number,
    private at: number,
  ) {
    this.level = burst * 1_000
  }

  /** Takes up to `wanted` tokens and says how many. */
  take(wanted: number, now: number): number {
    this.refill(now)
    const granted = Math.min(wanted, Math.floor(this.level / 1_000))
    this.level -= granted * 1_000
    return granted
  }

  /** Takes all of `wanted` or nothing. */
  takeAll(wanted: number, now: number): boolean {
    this.refill(now)
    if (this.level < wanted * 1_000) return false
    this.level -= wanted * 1_000
    return true
  }

  /** Ms until `wanted` tokens are there. */
  wait(wanted: number, now: number): number {
    this.refill(now)
    return Math.max(0, Math.ceil((wanted * 1_000 - this.level) / this.rate))
  }

  /** A full bucket is as good as none. */
  full(now: number): boolean {
    this.refill(now)
    return this.level >= this.burst * 1_000
  }

  private refill(now: number): void {
    this.level = Math.min(this.burst * 1_000, this.level + Math.max(0, now - this.at) * this.rate)
    this.at = now
  }
}

/** How many of a send's items the user may send now; `after` is when to try the rest, in ms. */
export interface Allowance {
  granted: number
  after: number
}

/**
 * The message rate of each user over all of their sockets. A bucket outlives the socket that emptied it, or a reconnect
 * would fill it, and is dropped once it is full again.
 */
export class UserRates {
  private readonly buckets = new Map<string, TokenBucket>()
  private timer: Timer | undefined

  constructor(
    private readonly runtime: Runtime,
    private readonly limits: { rate: number; burst: number },
  ) {}

  get size(): number {
    return this.buckets.size
  }

  take(user: string, items: number): Allowance {
    if (items === 0) return { granted: 0, after: 0 }
    const now = this.runtime.monotonic()
    const { rate, burst } = this.limits
    let bucket = this.buckets.get(user)
    if (bucket === undefined) {
      bucket = new TokenBucket(rate, burst, now)
      this.buckets.set(user, bucket)
      this.timer ??= this.runtime.setTimer(() => this.sweep(), this.sweepMs)
    }
    const granted = bucket.take(items, now)
    // Up to a second's worth at a time, so that a long queue is not sent one by one.
    const next = Math.min(items - granted, Math.max(1, Math.min(rate, burst)))
    return { granted, after: next === 0 ? 0 : bucket.wait(next, now) }
  }

  clear(): void {
    this.buckets.clear()
    if (this.timer !== undefined) this.runtime.clearTimer(this.timer)
    this.timer = undefined
  }

  private get sweepMs(): number {
    return Math.ceil((this.limits.burst / this.limits.rate) * 1_000)
  }

  private sweep(): void {
    const now = this.runtime.monotonic()
    for (const [user, bucket] of this.buckets) if (bucket.full(now)) this.buckets.delete(user)
    this.timer = this.buckets.size > 0 ? this.runtime.setTimer(() => this.sweep(), this.sweepMs) : undefined
  }
}

/** Counts events within a sliding window, up to a limit that is small. */
export class WindowCount {
  private times: number[] = []

  constructor(
    private readonly limit: number,
    private readonly windowMs = 60_000,
  ) {}

  /** Counts one; true if the limit is reached within the window. */
  hit(now: number): boolean {
    this.times = this.times.filter((time) => now - time < this.windowMs)
    this.times.push(now)
    return this.times.length >= this.limit
  }
}
