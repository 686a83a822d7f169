import type { Direction, Link } from './link.js'
import type { Network } from './network.js'

export interface Packet {
  kind: 'open' | 'text' | 'ping' | 'pong' | 'close' | 'lost'
  text: string
  code: number
  bytes: number
  at?: number
  /** Told once the packet left the process. */
  done?: (() => void) | undefined
}

/** One direction of a connection. What goes in comes out in the same order, or not at all. */
export class Pipe {
  /** Silently: packets go in and never come out. */
  dead = false
  cutting = false
  /** Extra ms for each packet. */
  lag = 0
  /** Bytes that the process still has. */
  buffered = 0
  private stalledUntil = 0
  private waiting: Packet[] = []
  private flight: Packet[] = []
  private inflight = 0
  private lastAt = 0
  private scheduled = false
  private closed = false
  private severed = false

  constructor(
    private readonly network: Network,
    private readonly link: Link,
    private readonly direction: Direction,
  ) {}

  push(packet: Packet): void {
    if (this.cutting && packet.kind === 'text' && !this.severed) {
      this.severed = true
      this.network.clock.setTimer(() => this.link.break(Number.POSITIVE_INFINITY), 0)
    }
    if (this.closed || this.severed) {
      if (packet.done) this.from?.process.post(packet.done)
      return
    }
    this.waiting.push(packet)
    this.buffered += packet.bytes
    this.pump()
  }

  stall(ms: number): void {
    this.link.troubled = true
    this.stalledUntil = Math.max(this.stalledUntil, this.network.clock.monotonic() + ms)
  }

  restore(): void {
    this.stalledUntil = 0
    this.lag = 0
    this.cutting = false
    this.arrive()
  }

  /** The receiver has taken a packet. */
  consumed(bytes: number): void {
    this.inflight -= bytes
    this.pump()
  }

  /** Delivers the first packets under way now; the connection is about to go. */
  flush(count: number): void {
    if (this.dead) return
    for (let index = 0; index < count && !this.closed; index++) {
      const packet = this.flight.shift()
      if (packet === undefined) return
      this.to?.receive(packet)
    }
  }

  close(): void {
    this.closed = true
    for (const packet of this.waiting) if (packet.done) this.from?.process.post(packet.done)
    this.waiting = []
    this.flight = []
    this.buffered = 0
  }

  private get from() {
    return this.direction === 'up' ? this.link.client : this.link.server
  }

  private get to() {
    return this.direction === 'up' ? this.link.server : this.link.client
  }

  private pump(): void {
    const { clock, random } = this.network
    while (this.waiting.length > 0 && this.inflight < this.network.window) {
      const packet = this.waiting.shift()!
      this.buffered -= packet.bytes
      this.inflight += packet.bytes
      packet.at = Math.max(clock.monotonic() + this.link.base + this.lag + random.integer(0, 5), this.lastAt)
      this.lastAt = packet.at
      this.flight.push(packet)
      if (packet.done) this.from?.process.post(packet.done)
    }
    this.schedule()
  }

  private schedule(): void {
    const head = this.flight[0]
    if (this.scheduled || head === undefined) return
    this.scheduled = true
    const { clock } = this.network
    clock.setTimer(() => this.arrive(), Math.max(head.at!, this.stalledUntil) - clock.monotonic())
  }

  private arrive(): void {
    this.scheduled = false
    // Times are sums of floats: one that is due may be a hair's breadth away.
    const now = this.network.clock.monotonic() + 1e-6
    while (
      !this.closed &&
      !this.dead &&
      this.flight.length > 0 &&
      this.flight[0]!.at! <= now &&
      this.stalledUntil <= now
    ) {
      // Taken out before anything else: an end that is not there evaluates no arguments.
      const packet = this.flight.shift()!
      this.to?.receive(packet)
    }
    if (!this.closed && !this.dead) this.schedule()
  }
}
