import { contentSize, type Runtime, type SendItem } from '@kithwire/protocol'
import type { Log, LogThrottle } from './log.js'
import type { Outcome, Send, Store } from './store.js'
import { Alarm, type TimerWheel } from './timer-wheel.js'

/**
 * A send on its way to the store, by methods: one object for each message, instead of one here, one of whoever asks and
 * a closure for each thing that is told.
 */
export abstract class AppendJob implements Send {
  /** Bytes in memory, about. */
  readonly bytes: number
  /** Monotonic ms when it was taken. */
  since = 0
  /** When more waits than one batch holds: in which round of the users it is this one's turn; 0 while that is open. */
  turn = 0
  /** Who waits for the end of it, which is seldom anybody. */
  private waiting: (() => void)[] | undefined

  constructor(
    readonly conversation: string,
    readonly from: string,
    readonly items: readonly SendItem[],
    /** Whose socket it belongs to: dropped with it while it waits. Absent: stored whatever happens to its socket. */
    readonly owner?: object,
    /** The device it came from, so that others can wait for what it has under way. */
    readonly device?: string,
  ) {
    this.bytes = sizeOf(items)
  }

  /** Told what the store has answered, in the order in which sends were stored, before anybody else is. Never throws. */
  abstract stored(outcome: Outcome): void

  /** Told what became of it: undefined if it was dropped, since its socket is gone. Never throws. */
  protected abstract settled(outcome: Outcome | undefined): void

  /** Resolves when it is settled. Not for one that is. */
  get done(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting ??= []
      this.waiting.push(resolve)
    })
  }

  settle(outcome: Outcome | undefined): void {
    this.settled(outcome)
    for (const resolve of this.waiting ?? []) resolve()
  }
}

/** What a promise is enough for. */
export interface AppendRequest extends Send {
  owner?: object | undefined
  device?: string | undefined
  stored?(outcome: Outcome): void
}

class PromisedJob extends AppendJob {
  constructor(
    private readonly request: AppendRequest,
    protected readonly settled: (outcome: Outcome | undefined) => void,
  ) {
    super(request.conversation, request.from, request.items, request.owner, request.device)
  }

  stored(outcome: Outcome): void {
    this.request.stored?.(outcome)
  }
}

export interface AppendQueueOptions {
  store: Store
  runtime: Pick<Runtime, 'monotonic'>
  wheel: TimerWheel
  log: Log
  limits: { batchItems: number; batchBytes: number; queueMs: number; queueItems: number; queueBytes: number }
}

const refuse = (code: 'busy' | 'store_unavailable'): Outcome => ({ stored: [], refused: { index: 0, code } })

/** Bytes that the rest of an entry takes, about: ids, numbers, names. */
const ENTRY_BYTES = 200

const sizeOf = (items: readonly SendItem[]) =>
  items.reduce((sum, { content, meta }) => sum + ENTRY_BYTES + contentSize(content, meta), 0)

/**
 * Group commit in front of every store: whenever the store is free, what waits goes into one append, one send of each
 * user in turn, a user's own in order, a send never split. There is no linger: the commit under way is the linger.
 *
 * Plain lists, which are searched when somebody leaves or asks. Each message enters and leaves: a Map or a Set would get
 * a new table again and again, and V8 links each table to the next one, so that one that the collector has moved to the
 * old generation keeps alive all that was in those after it, until the next full collection.
 */
export class AppendQueue extends Alarm {
  /** By age. */
  private waiting: AppendJob[] = []
  /** What is being stored, by batch. */
  private batches: readonly (readonly AppendJob[])[] = []
  /** The round of the users that is under way. */
  private round = 1
  private items = 0
  private bytes = 0
  private flushing = false
  private readonly throttle: LogThrottle = {}

  constructor(private readonly options: AppendQueueOptions) {
    super()
  }

  /** Sends that wait or are being stored. */
  get size(): number {
    return this.batches.reduce((sum, batch) => sum + batch.length, this.waiting.length)
  }

  /** Resolves when the store has answered, with a refusal after too long a wait, or with undefined if it was dropped. */
  append(request: AppendRequest): Promise<Outcome | undefined> {
    return new Promise((resolve) => this.add(new PromisedJob(request, resolve)))
  }

  /** The same without a promise, which costs as much as the rest: it is settled at once, or when the outcome is known. */
  add(job: AppendJob): void {
    const { limits, runtime, wheel } = this.options
    if (this.items + job.items.length > limits.queueItems || this.bytes + job.bytes > limits.queueBytes) {
      job.settle(refuse('busy'))
      return
    }
    job.since = runtime.monotonic()
    this.waiting.push(job)
    this.items += job.items.length
    this.bytes += job.bytes
    if (this.tick === 0) wheel.start(this, limits.queueMs)
    this.flushSoon()
  }

  /** Drops what waits for this owner. What is in the store already cannot be taken back. */
  discard(owner: object): void {
    this.leave((job) => job.owner === owner, undefined)
  }

  /** Refuses `busy` what waits for a conversation, so that it is authorized anew, and waits for what is in the store. */
  async recall(conversation: string): Promise<void> {
    this.leave((job) => job.conversation === conversation, refuse('busy'))
    await ended(this.batches.flat().filter((job) => job.conversation === conversation))
  }

  /** Resolves when everything that this device has under way now is settled. */
  async settled(device: string): Promise<void> {
    await ended(this.all().filter((job) => job.device === device))
  }

  /** Resolves when nothing waits and nothing is being stored. */
  async idle(): Promise<void> {
    while (this.size > 0) await ended(this.all())
  }

  private all(): AppendJob[] {
    return [...this.batches.flat(), ...this.waiting]
  }

  /** Settles what waits and is one of these. */
  private leave(which: (job: AppendJob) => boolean, outcome: Outcome | undefined): void {
    const leaving = this.waiting.filter(which)
    if (leaving.length === 0) return
    this.keep(this.waiting.filter((job) => !which(job)))
    for (const job of leaving) job.settle(outcome)
  }

  /** What waits from now on. */
  private keep(waiting: AppendJob[]): void {
    this.waiting = waiting
    this.items = waiting.reduce((sum, { items }) => sum + items.length, 0)
    this.bytes = waiting.reduce((sum, { bytes }) => sum + bytes, 0)
    if (waiting.length === 0) this.options.wheel.clear(this)
  }

  /** Refuses what has waited for too long. */
  ring(): void {
    const { limits, runtime, wheel } = this.options
    const latest = runtime.monotonic() - limits.queueMs
    this.leave((job) => job.since <= latest, refuse('busy'))
    const [oldest] = this.waiting
    if (oldest !== undefined && this.tick === 0) wheel.start(this, oldest.since - latest)
  }

  /** At the end of the turn, or when the store says, so that frames that arrived together are stored together. */
  private flushSoon(): void {
    if (this.flushing) return
    this.flushing = true
    const flush = () => {
      this.flushing = false
      this.flush()
    }
    const { store } = this.options
    if (store.gather) store.gather(flush)
    else void Promise.resolve().then(flush)
  }

  private flush(): void {
    while (this.waiting.length > 0 && this.batches.length < this.options.store.parallel) {
      const batch = this.nextBatch()
      if (batch.length === 0) return
      void this.commit(batch)
    }
  }

  /** Takes from what waits what is stored next: all of it, as a rule. */
  private nextBatch(): readonly AppendJob[] {
    const { batchItems, batchBytes } = this.options.limits
    const { waiting } = this
    if (this.batches.length === 0 && this.items <= batchItems && this.bytes <= batchBytes) {
      this.keep([])
      return waiting
    }
    const locked = new Set(this.batches.flat().map(({ conversation }) => conversation))
    const batch = new Set<AppendJob>()
    let items = 0
    let bytes = 0
    for (const job of this.inTurn()) {
      if (locked.has(job.conversation)) continue
      if (batch.size > 0 && (items + job.items.length > batchItems || bytes + job.bytes > batchBytes)) break
      batch.add(job)
      items += job.items.length
      bytes += job.bytes
      this.round = job.turn
    }
    this.keep(waiting.filter((job) => !batch.has(job)))
    return [...batch]
  }

  /** What waits, one send of each user in each round, and within a round by age. */
  private inTurn(): AppendJob[] {
    const last = new Map<string, number>()
    for (const job of this.waiting) {
      if (job.turn === 0) job.turn = Math.max(this.round, (last.get(job.from) ?? 0) + 1)
      last.set(job.from, job.turn)
    }
    return [...this.waiting].sort((one, other) => one.turn - other.turn)
  }

  private async commit(batch: readonly AppendJob[]): Promise<void> {
    this.batches = [...this.batches, batch]
    const outcomes = await this.store(batch)
    this.batches = this.batches.filter((other) => other !== batch)
    batch.forEach((job, index) => {
      const outcome = outcomes[index] ?? refuse('store_unavailable')
      job.stored(outcome)
      job.settle(outcome)
    })
    this.flush()
  }

  private async store(batch: readonly AppendJob[]): Promise<readonly Outcome[]> {
    try {
      return await this.options.store.append(
        batch.map(({ conversation, from, items }) => ({ conversation, from, items })),
      )
    } catch (cause) {
      this.options.log.failure('append_failed', cause, { sends: batch.length }, this.throttle)
      // The outcome is unknown: nobody is acknowledged, and everybody tries again with the same cids.
      return []
    }
  }
}

async function ended(jobs: readonly AppendJob[]): Promise<void> {
  await Promise.all(jobs.map((job) => job.done))
}
