import type { FakeClock, SeededRandom } from '@kithwire/protocol/testing'
import { Disk, type JournalRecord } from './disk.js'

export interface JournalEvents {
  /** A record is on stable storage from now on. */
  durable(record: JournalRecord): void
  /** The contract of stores was broken by whoever uses this one. */
  misused(how: string): void
}

/** How the simulated disk behaves now; faults change it. */
export interface Weather {
  /** Bounds in ms of one request. */
  latency: [low: number, high: number]
  /** Bounds in ms that an append takes longer than other calls, as behind a lock. */
  append: [low: number, high: number]
  /** Bounds in ms of one sync. */
  sync: [low: number, high: number]
  /** Chance that a call fails: half of these after it has done its work. */
  failing: number
  /** Chance that an item of an append finds the disk full. */
  full: number
}

export const FAIR: Readonly<Weather> = { latency: [0, 4], append: [0, 0], sync: [1, 8], failing: 0, full: 0 }

interface Waiter {
  target: number
  resolve(): void
  reject(error: Error): void
}

/**
 * An append-only journal: what is written is at once visible to writers and durable only at the next sync. A crash
 * keeps a prefix, which may be longer than what the last sync promised, and loses the rest.
 */
export class Journal {
  /** With everything that was written. */
  written: Disk
  /** With what no crash takes back. */
  stable = new Disk()
  weather: Weather = { ...FAIR }
  /** Called at the next write, once. */
  wrote: (() => void) | undefined
  /** Ids of entries whose server does not learn that they are stored: it is dead, or was told that this may have failed. */
  readonly orphans = new Set<string>()
  private tail: JournalRecord[] = []
  private count = 0
  private syncing = 0
  private stalledUntil = 0
  private waiters: Waiter[] = []

  constructor(
    readonly clock: FakeClock,
    readonly random: SeededRandom,
    private readonly events: JournalEvents,
    initial: readonly JournalRecord[],
  ) {
    for (const record of initial) this.stable.apply(record)
    this.written = this.stable.clone()
  }

  write(record: JournalRecord): void {
    this.written.apply(record)
    this.tail.push(record)
    this.count++
    this.sync()
    const { wrote } = this
    this.wrote = undefined
    wrote?.()
  }

  /** Whether something is written that a crash may take back. */
  get unsynced(): boolean {
    return this.tail.length > 0
  }

  misused(how: string): void {
    this.events.misused(how)
  }

  /** Resolves once all that is written now is durable, and rejects if a crash came first. */
  flushed(resolve: () => void, reject: (error: Error) => void): void {
    if (this.tail.length === 0) resolve()
    else this.waiters.push({ target: this.count, resolve, reject })
  }

  /** No sync ends before `ms` have passed. */
  stall(ms: number): void {
    this.stalledUntil = Math.max(this.stalledUntil, this.clock.monotonic() + ms)
  }

  /** The disk recovers: faults end. */
  clear(): void {
    this.weather = { ...FAIR }
    this.stalledUntil = 0
    // A sync that waits for the end of a stall is asked again.
    if (this.syncing !== 0) {
      this.syncing = 0
      this.sync()
    }
  }

  /** Power is cut: a random prefix of the tail survives. */
  crash(): number {
    const kept = this.random.integer(0, this.tail.length)
    const lost = this.tail.length - kept
    this.count -= lost
    // Whoever waits learns nothing, not even of what survived.
    for (const waiter of this.waiters.splice(0)) waiter.reject(new Error('the store went away'))
    this.settle(kept)
    this.tail = []
    this.syncing = 0
    this.written = this.stable.clone()
    return lost
  }

  /** The disk is set back to a copy of an earlier time. Friendships are in another file, and stay. */
  restore(backup: Disk): void {
    const rows = [...this.stable.rows.values()]
    this.stable = backup.clone()
    for (const row of rows) this.stable.apply({ kind: 'row', row })
    this.written = this.stable.clone()
    this.tail = []
    this.syncing = 0
  }

  private sync(): void {
    if (this.syncing !== 0 || this.tail.length === 0) return
    const [low, high] = this.weather.sync
    const covered = this.tail.length
    const turn = this.random.uint32() + 1
    this.syncing = turn
    const finish = () => {
      if (this.syncing !== turn) return
      const left = this.stalledUntil - this.clock.monotonic()
      if (left > 0) {
        this.clock.setTimer(finish, left)
        return
      }
      this.syncing = 0
      this.settle(covered)
      this.sync()
    }
    this.clock.setTimer(finish, this.random.integer(low, high))
  }

  private settle(records: number): void {
    for (const record of this.tail.splice(0, records)) {
      this.stable.apply(record)
      this.events.durable(record)
    }
    const durable = this.count - this.tail.length
    const ready = this.waiters.filter((waiter) => waiter.target <= durable)
    this.waiters = this.waiters.filter((waiter) => waiter.target > durable)
    for (const waiter of ready) waiter.resolve()
  }
}
