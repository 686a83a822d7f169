import type { Runtime, SocketLike } from '@kithwire/protocol'
import { TokenBucket, WindowCount } from './rate-limit.js'

export interface InboundLimits {
  frameRate: number
  frameBurst: number
  byteRate: number
  byteBurst: number
  violations: number
  inflight: number
}

/** The receiving side of one socket: how fast it may send, and whether it is read at all. */
export class Inbound {
  /** Frames that came so far, pings and pongs included. */
  frames = 0
  private readonly frameBucket: TokenBucket
  private readonly byteBucket: TokenBucket
  private readonly violations: WindowCount
  /** Why it is not read. */
  private readonly reasons: string[] = []
  /** Items of this socket in the append queue. */
  private items = 0

  constructor(
    private readonly socket: SocketLike,
    private readonly runtime: Runtime,
    private readonly limits: InboundLimits,
    private readonly abuse: () => void,
  ) {
    const now = runtime.monotonic()
    this.frameBucket = new TokenBucket(limits.frameRate, limits.frameBurst, now)
    this.byteBucket = new TokenBucket(limits.byteRate, limits.byteBurst, now)
    this.violations = new WindowCount(limits.violations)
  }

  get paused(): boolean {
    return this.reasons.length > 0
  }

  /** Counts a frame; false if it is over the rate. The bytes of a hello are bounded by what it may hold. */
  frame(bytes: number, hello = false): boolean {
    this.frames++
    const now = this.runtime.monotonic()
    const within = this.frameBucket.takeAll(1, now) && (hello || this.byteBucket.takeAll(bytes, now))
    if (!within && this.violations.hit(now)) this.abuse()
    return within
  }

  /** Counts a ping or a pong, of which a flood is abuse like any other. */
  alive(): void {
    this.frame(0)
  }

  /** Ms until a frame is within the rate again, about. */
  wait(): number {
    const now = this.runtime.monotonic()
    return Math.max(1, this.frameBucket.wait(1, now), this.byteBucket.wait(this.limits.byteRate / 4, now))
  }

  pause(reason: string): void {
    if (this.reasons.includes(reason)) return
    if (this.reasons.push(reason) === 1) this.socket.pause?.()
  }

  resume(reason: string): void {
    const index = this.reasons.indexOf(reason)
    if (index < 0) return
    this.reasons.splice(index, 1)
    if (this.reasons.length === 0) this.socket.resume?.()
  }

  resumeAll(): void {
    for (const reason of [...this.reasons]) this.resume(reason)
  }

  /** Items went into the append queue: too many of them, and the socket is not read until half have left it. */
  queued(items: number): void {
    this.items += items
    if (this.items >= this.limits.inflight) this.pause('queue')
  }

  unqueued(items: number): void {
    this.items -= items
    if (this.items <= this.limits.inflight / 2) this.resume('queue')
  }
}
