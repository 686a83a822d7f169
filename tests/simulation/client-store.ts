import type { FakeClock, SeededRandom } from '@kithwire/protocol/testing'
import type { ClientStore, ConversationState, StoreChange } from '../../packages/client/src/client-store.js'
import { CopyableStore } from '../../packages/client/src/stores/store-copy.js'
import { TRANSACTIONS, type TransactionName } from '../../packages/client/src/stores/transactions.js'
import type { Process } from './process.js'

/** Those that change what is stored. */
const WRITES: ReadonlySet<string> = new Set(['meet', 'apply', 'skip', 'reset', 'mark', 'move', 'enqueue', 'fail'])

type Call = (...args: unknown[]) => Promise<unknown>

export interface StorageHabits {
  /** Most ms that a transaction takes. */
  slowest: number
  /** Whether the platform has a lock, so that one tab leads; else every tab connects. */
  locks: boolean
}

/**
 * The storage of one device, which outlives its tabs. What it holds is the shipped memory store; what a disk and a
 * browser add is here: transactions take time, hints come late or twice, or not at all if their tab dies, and a tab that
 * dies leaves each transaction that it had begun done or not done, in order.
 */
export class DeviceStorage {
  private readonly disk = new CopyableStore()
  private readonly waiting: { process: Process; granted: () => void }[] = []
  private leader: Process | undefined
  /** Who makes the change that is being made. */
  private writer: Process | undefined
  /** Called when the next change begins, once. */
  began: (() => void) | undefined

  constructor(
    private readonly clock: FakeClock,
    private readonly random: SeededRandom,
    private readonly habits: StorageHabits,
    /** Told when the device has stored where it starts. */
    private readonly seeded: () => void,
  ) {}

  /** Where the device stands. */
  states(): ConversationState[] {
    return this.disk.copy().conversations.map(({ state }) => state)
  }

  /** The store as one tab sees it. */
  handle(process: Process): ClientStore {
    const queue = new TransactionQueue(this.clock, this.random, process, this.habits.slowest)
    const disk = this.disk as unknown as Record<string, Call>
    const calls: Record<string, unknown> = {}
    for (const name of Object.keys(TRANSACTIONS))
      calls[name] = (...args: unknown[]) => {
        const done = queue.run(() => this.as(process, () => this.call(disk, name, args)))
        if (WRITES.has(name)) this.beginning()
        return done
      }
    process.onExit(() => this.release(process))
    return {
      ...(calls as unknown as Pick<ClientStore, TransactionName>),
      durable: true,
      tell: (change) => this.as(process, () => this.disk.tell(change)),
      watch: (look) => this.watch(process, look),
      lead: (granted) => this.lead(process, granted),
      wipe: () => this.disk.wipe(),
      close: async () => {},
    }
  }

  private beginning(): void {
    const { began } = this
    this.began = undefined
    began?.()
  }

  /** What happens within is `process`'s doing. */
  private as<T>(process: Process, run: () => T): T {
    this.writer = process
    const result = run()
    this.writer = undefined
    return result
  }

  private call(disk: Record<string, Call>, name: string, args: unknown[]): Promise<unknown> {
    if (name === 'meet' && args[1] !== undefined) this.seeded()
    return disk[name]!(...args)
  }

  private watch(process: Process, look: (change: StoreChange) => void): () => void {
    let over = false
    const tell = (change: StoreChange) => {
      const { writer } = this
      this.clock.setTimer(
        () => {
          // Whoever made the change has died since, perhaps before saying so.
          if (writer && writer !== process && !writer.alive && this.random.chance(0.5)) return
          if (!over) process.deliver(() => look(change))
        },
        this.random.integer(0, this.habits.slowest),
      )
    }
    const stop = this.disk.watch((change) => {
      tell(change)
      if (this.random.chance(0.02)) tell(change)
    })
    const end = () => {
      over = true
      stop()
    }
    process.onExit(end)
    return end
  }

  private lead(process: Process, granted: () => void): () => void {
    if (!this.habits.locks) {
      process.post(granted)
      return () => {}
    }
    const entry = { process, granted }
    this.waiting.push(entry)
    this.grant()
    return () => {
      const index = this.waiting.indexOf(entry)
      if (index >= 0) this.waiting.splice(index, 1)
      else this.release(process)
    }
  }

  private release(process: Process): void {
    for (let index = this.waiting.length - 1; index >= 0; index--)
      if (this.waiting[index]!.process === process) this.waiting.splice(index, 1)
    if (this.leader !== process) return
    this.leader = undefined
    this.grant()
  }

  private grant(): void {
    if (this.leader !== undefined) return
    const next = this.waiting.shift()
    if (next === undefined) return
    this.leader = next.process
    next.process.post(next.granted)
  }
}

/** The transactions of one tab: one after the other, each atomic, each taking time. */
class TransactionQueue {
  private lastAt = 0
  private readonly begun = new Set<() => void>()

  constructor(
    private readonly clock: FakeClock,
    private readonly random: SeededRandom,
    private readonly process: Process,
    private readonly slowest: number,
  ) {
    process.onExit(() => {
      // Of what had begun, a prefix is done.
      const done = random.integer(0, this.begun.size)
      for (const run of [...this.begun].slice(0, done)) run()
      this.begun.clear()
    })
  }

  run<T>(transaction: () => Promise<T>): Promise<T> {
    return this.process.awaits<T>((resolve, reject) => {
      // As the shipped store, whose transactions are done where they begin.
      if (this.slowest === 0) {
        transaction().then(resolve, reject)
        return
      }
      // The answer may come in a turn of its own, before which the tab may die.
      const apart = this.random.chance(0.25)
      const commit = () => {
        this.begun.delete(commit)
        if (apart)
          transaction().then(
            (value) => this.clock.setTimer(() => resolve(value), 0),
            (error) => this.clock.setTimer(() => reject(error), 0),
          )
        else transaction().then(resolve, reject)
      }
      this.begun.add(commit)
      const now = this.clock.monotonic()
      this.lastAt = Math.max(this.lastAt, now + this.random.integer(0, this.slowest))
      this.clock.setTimer(() => {
        if (this.begun.has(commit)) commit()
      }, this.lastAt - now)
    })
  }
}
