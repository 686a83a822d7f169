import type { SocketLike } from '@kithwire/protocol'
import type { Context } from './context.js'
import { TokenBucket, WindowCount } from './rate-limit.js'

type Parts = Pick<Context, 'runtime' | 'limits'>

/** Why a socket is not read; a number of one bit each. */
const REASONS = { greeting: 1, queue: 2, inbox: 4 } as const
type Reason = keyof typeof REASONS

/** The receiving side of one socket: how fast it may send, and whether it is read at all. */
export class Inbound {
  /** Frames that came so far, pings and pongs included. */
  frames = 0
  private readonly frameBucket: TokenBucket
  private readonly byteBucket: TokenBucket
  /** Made with the first one. */
  private violations: WindowCount | undefined
  /** Why it is not read, as bits. */
  private reasons = 0
  /** Items of this socket in the append queue. */
  private items = 0

  constructor(
    private readonly socket: SocketLike,
    private readonly parts: Parts,
    private readonly owner: { abuse(): void },
  ) {
    const { runtime, limits } = parts
    const now = runtime.monotonic()
    this.frameBucket = new TokenBucket(limits.frameRate, limits.frameBurst, now)
    this.byteBucket = new TokenBucket(limits.byteRate, limits.byteBurst, now)
  }

  get paused(): boolean {
    return this.reasons !== 0
  }

  /** Counts a frame; false if it is over the rate. The bytes of a hello are bounded by what it may hold. */
  frame(bytes: number, hello = false): boolean {
    this.frames++
    const now = this.parts.runtime.monotonic()
    const within = this.frameBucket.takeAll(1, now) && (hello || this.byteBucket.takeAll(bytes, now))
    if (within) return true
    this.violations ??= new WindowCount(this.parts.limits.violations)
    if (this.violations.hit(now)) this.owner.abuse()
    return false
  }

  /** Counts a ping or a pong, of which a flood is abuse like any other. */
  alive(): void {
    this.frame(0)
  }

  /** Ms until a frame is within the rate again, about. */
  wait(): number {
    const { runtime, limits } = this.parts
    const now = runtime.monotonic()
    return Math.max(1, this.frameBucket.wait(1, now), this.byteBucket.wait(limits.byteRate / 4, now))
  }

  pause(reason: Reason): void {
    this.stopFor(this.reasons | REASONS[reason])
  }

  resume(reason: Reason): void {
    this.stopFor(this.reasons & ~REASONS[reason])
  }

  resumeAll(): void {
    this.stopFor(0)
  }

  private stopFor(reasons: number): void {
    const before = this.reasons
    this.reasons = reasons
    if (before === 0 && reasons !== 0) this.socket.pause?.()
    if (before !== 0 && reasons === 0) this.socket.resume?.()
  }

  /** Items went into the append queue: too many of them, and the socket is not read until half have left it. */
  queued(items: number): void {
    this.items += items
    if (this.items >= this.parts.limits.inflight) this.pause('queue')
  }

  unqueued(items: number): void {
    this.items -= items
    if (this.items <= this.parts.limits.inflight / 2) this.resume('queue')
  }
}
