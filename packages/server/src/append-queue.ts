import { contentSize, type Runtime, type SendItem } from '@kithwire/protocol'
import type { Log, LogThrottle } from './log.js'
import type { Outcome, Send, Store } from './store.js'
import { Alarm, type TimerWheel } from './timer-wheel.js'

/** A send on its way to the store. */
export interface AppendRequest extends Send {
  /** Whose socket it belongs to: dropped with it while it waits. Absent: stored whatever happens to its socket. */
  owner?: object | undefined
  /** The device it came from, so that others can wait for what it has under way. */
  device?: string | undefined
  /** Called once the store has answered, in the order in which the sends were stored, before anybody is told. Never throws. */
  stored?(outcome: Outcome): void
}

/** What became of a request: undefined if it was dropped, since its socket is gone. Never throws. */
export type Settle = (outcome: Outcome | undefined) => void

/** A request that was taken. Made once for each message, so field by field: a spread costs as much as all the rest. */
class Job {
  readonly conversation: string
  readonly from: string
  readonly items: readonly SendItem[]
  readonly owner: object | undefined
  readonly device: string | undefined
  /** Who waits for the end of it, which is seldom anybody. */
  private waiting: (() => void)[] | undefined

  constructor(
    readonly request: AppendRequest,
    readonly bytes: number,
    readonly since: number,
    private readonly settled: Settle,
  ) {
    this.conversation = request.conversation
    this.from = request.from
    this.items = request.items
    this.owner = request.owner
    this.device = request.device
  }

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
 */
export class AppendQueue extends Alarm {
  /** By age. */
  private readonly waiting = new Set<Job>()
  /** By user, in the order of their turns. */
  private readonly turns = new Map<string, Job[]>()
  private readonly storing = new Set<Job>()
  private readonly locked = new Set<string>()
  private readonly devices = new Map<string, Job[]>()
  private batches = 0
  private items = 0
  private bytes = 0
  private flushing = false
  private readonly throttle: LogThrottle = {}

  constructor(private readonly options: AppendQueueOptions) {
    super()
  }

  /** Sends that wait or are being stored. */
  get size(): number {
    return this.waiting.size + this.storing.size
  }

  /** Resolves when the store has answered, with a refusal after too long a wait, or with undefined if it was dropped. */
  append(request: AppendRequest): Promise<Outcome | undefined> {
    return new Promise((resolve) => this.add(request, resolve))
  }

  /** The same without a promise, which costs as much as the rest: `settle` is called at once, or when it is known. */
  add(request: AppendRequest, settle: Settle): void {
    const { limits, runtime, wheel } = this.options
    const bytes = sizeOf(request.items)
    if (this.items + request.items.length > limits.queueItems || this.bytes + bytes > limits.queueBytes) {
      settle(refuse('busy'))
      return
    }
    this.enter(new Job(request, bytes, runtime.monotonic(), settle))
    if (this.tick === 0) wheel.start(this, limits.queueMs)
    this.flushSoon()
  }

  /** Drops what waits for this owner. What is in the store already cannot be taken back. */
  discard(owner: object): void {
    for (const job of this.waiting) if (job.owner === owner) this.leave(job, undefined)
  }

  /** Refuses `busy` what waits for a conversation, so that it is authorized anew, and waits for what is in the store. */
  async recall(conversation: string): Promise<void> {
    for (const job of this.waiting) if (job.conversation === conversation) this.leave(job, refuse('busy'))
    await Promise.all([...this.storing].filter((job) => job.conversation === conversation).map((job) => job.done))
  }

  /** Resolves when everything that this device has under way now is settled. */
  async settled(device: string): Promise<void> {
    await Promise.all([...(this.devices.get(device) ?? [])].map((job) => job.done))
  }

  /** Resolves when nothing waits and nothing is being stored. */
  async idle(): Promise<void> {
    while (this.size > 0) await Promise.all([...this.waiting, ...this.storing].map((job) => job.done))
  }

  private enter(job: Job): void {
    this.waiting.add(job)
    const own = this.turns.get(job.from)
    if (own === undefined) this.turns.set(job.from, [job])
    else own.push(job)
    this.items += job.items.length
    this.bytes += job.bytes
    if (job.device === undefined) return
    const jobs = this.devices.get(job.device)
    if (jobs === undefined) this.devices.set(job.device, [job])
    else jobs.push(job)
  }

  /** Takes a waiting job out of its user's turns. */
  private take(job: Job): void {
    this.waiting.delete(job)
    const own = this.turns.get(job.from)!
    own.splice(own.indexOf(job), 1)
    if (own.length === 0) this.turns.delete(job.from)
    this.items -= job.items.length
    this.bytes -= job.bytes
    if (this.waiting.size === 0) this.options.wheel.clear(this)
  }

  private leave(job: Job, outcome: Outcome | undefined): void {
    this.take(job)
    this.settle(job, outcome)
  }

  private settle(job: Job, outcome: Outcome | undefined): void {
    const jobs = job.device === undefined ? undefined : this.devices.get(job.device)
    if (jobs?.length === 1) this.devices.delete(job.device!)
    else jobs?.splice(jobs.indexOf(job), 1)
    job.settle(outcome)
  }

  /** Refuses what has waited for too long. */
  ring(): void {
    const { limits, runtime, wheel } = this.options
    const now = runtime.monotonic()
    for (const job of this.waiting) {
      const left = job.since + limits.queueMs - now
      if (left > 0) {
        wheel.start(this, left)
        return
      }
      this.leave(job, refuse('busy'))
    }
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
    while (this.batches < this.options.store.parallel) {
      const batch = this.nextBatch()
      if (batch.length === 0) return
      void this.commit(batch)
    }
  }

  private nextBatch(): Job[] {
    const { batchItems, batchBytes } = this.options.limits
    const batch: Job[] = []
    let items = 0
    let bytes = 0
    for (let missed = 0; missed < this.turns.size; ) {
      const [user, own] = this.turns.entries().next().value!
      const job = own.find(({ conversation }) => !this.locked.has(conversation))
      if (job && batch.length > 0 && (items + job.items.length > batchItems || bytes + job.bytes > batchBytes)) break
      // To the end of the line, whether or not there was one to take.
      this.turns.delete(user)
      this.turns.set(user, own)
      if (job === undefined) {
        missed++
        continue
      }
      missed = 0
      this.take(job)
      batch.push(job)
      items += job.items.length
      bytes += job.bytes
    }
    return batch
  }

  private async commit(batch: readonly Job[]): Promise<void> {
    this.batches++
    for (const job of batch) {
      this.storing.add(job)
      this.locked.add(job.conversation)
    }
    const outcomes = await this.store(batch)
    this.batches--
    batch.forEach((job, index) => {
      this.storing.delete(job)
      this.locked.delete(job.conversation)
      const outcome = outcomes[index] ?? refuse('store_unavailable')
      job.request.stored?.(outcome)
      this.settle(job, outcome)
    })
    this.flush()
  }

  private async store(batch: readonly Job[]): Promise<readonly Outcome[]> {
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
