import { KithwireError } from '@kithwire/protocol'
import type { Outcome, Send, Stored } from '../store.js'
import { sameContent } from './fingerprint.js'
import type { AppendContext } from './mongo-append.js'
import type { Doc, WriteError } from './mongo-connection.js'
import { DUPLICATE_KEY, isTransient } from './mongo-errors.js'
import { Job, type Known, type Step } from './mongo-job.js'

/** Entries in one command, and characters of content, far below the 16 MB that a document or the 48 MB that it may hold. */
const MOST_ENTRIES = 500
const MOST_CHARACTERS = 4_000_000

/** How long a lane tries while somebody else is always faster. */
const RACE_MS = 5_000

/** How long a lane tries while the server is not there: a new primary is elected within 12 s. */
const OUTAGE_MS = 15_000

/** Waits after a lost race, ms at most: twice as long after each, up to 64 times. */
const RACE_WAIT_MS = 2

/** Waits after an error of the network or a change of the primary, ms at most. */
const OUTAGE_WAIT_MS = 500

/**
 * The appends of one conversation, one after the other; what comes meanwhile goes together into the next insert.
 *
 * An insert at head + 1 is sequence, idempotency and body in one. It says when the head was wrong, by the index on
 * seqs, and when a cid was used before, by the index on cids; then the lane looks at what is durable, and goes on.
 */
export class Lane {
  #waiting: Job[] = []
  #running = false

  constructor(
    private readonly conversation: string,
    private readonly context: AppendContext,
    private readonly onIdle: () => void,
  ) {}

  add(send: Send): Promise<Outcome> {
    const { layout, database, peers } = this.context
    const job = new Job(
      send,
      peers.other(send.conversation, send.from),
      () => layout.ids.make(),
      database.runtime.now(),
    )
    this.#waiting.push(job)
    if (!this.#running) {
      this.#running = true
      // At the end of the turn, so that sends that come together are stored together.
      queueMicrotask(() => void this.#run())
    }
    return job.done
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const jobs = this.#waiting
      this.#waiting = []
      try {
        await this.#store(jobs)
      } catch (error) {
        this.context.heads.delete(this.conversation)
        for (const job of jobs) job.reject(error)
      }
    }
    this.#running = false
    this.onIdle()
  }

  async #store(jobs: readonly Job[]): Promise<void> {
    const { database } = this.context
    const start = database.runtime.monotonic()
    /** What is known to be in the log, by sender and cid. */
    const known = new Map<string, Known>()
    let isUnsure = false
    let wait = RACE_WAIT_MS
    for (;;) {
      for (const job of jobs) job.settle(known)
      const steps = nextSteps(jobs)
      if (steps.length === 0) return
      try {
        if ((await this.#insert(steps, known)) === 'progress') continue
        if (database.runtime.monotonic() - start > RACE_MS) {
          if (isUnsure) throw new KithwireError('store_unavailable', 'It is not known what was stored.')
          for (const job of jobs) job.refuse('busy')
          return
        }
        wait = Math.min(RACE_WAIT_MS * 64, wait * 2)
      } catch (error) {
        if (!isTransient(error) || database.runtime.monotonic() - start > OUTAGE_MS) throw error
        // It may have been stored all the same. The next try, with the same ids and cids, finds out.
        isUnsure = true
        wait = OUTAGE_WAIT_MS
        // Who comes back may be somebody else, with other data.
        this.context.heads.delete(this.conversation)
      }
      await database.wait(wait)
    }
  }

  /** One insert, and a look at the log if it did not go through. */
  async #insert(steps: readonly Step[], known: Map<string, Known>): Promise<'progress' | 'race'> {
    const { entries, inserts, heads, log } = this.context
    const head = await this.#head()
    const docs = steps.map(({ entry }, index) => entries.toDoc(this.conversation, head + 1 + index, entry))
    const { count, error } = await inserts.insert(docs)
    for (const [index, { key, entry }] of steps.slice(0, count).entries()) {
      const stored: Stored = { seq: head + 1 + index, id: entry.id, at: entry.at, duplicate: false }
      known.set(key, { stored, isRetry: (item) => sameContent(entry.item, item) })
    }
    heads.set(this.conversation, head + count)
    if (!error) return 'progress'
    if (error.code !== DUPLICATE_KEY) throw Object.assign(new Error(error.errmsg), error)
    if (!this.#isSeq(error)) {
      if (await this.#lookUp(steps.slice(count), known)) return 'progress'
      // There when it was in the way, and not durable yet.
      await this.context.database.barrier()
      if (await this.#lookUp(steps.slice(count), known)) return 'progress'
      return 'race'
    }
    heads.delete(this.conversation)
    const [now] = await log.heads([this.conversation])
    heads.set(this.conversation, now!.head)
    return count > 0 ? 'progress' : 'race'
  }

  async #head(): Promise<number> {
    const { heads, log } = this.context
    const known = heads.get(this.conversation)
    if (known !== undefined) return known
    const [found] = await log.heads([this.conversation])
    heads.set(this.conversation, found!.head)
    return found!.head
  }

  #isSeq({ keyPattern, errmsg }: WriteError): boolean {
    const { seqIndex, options } = this.context.layout
    // Servers before 4.4 say it in words only.
    return keyPattern ? options.messages.seq in keyPattern : errmsg.includes(`index: ${seqIndex.name} `)
  }

  /** Notes what of these is durably in the log. True if the first is: that is the one that was in the way. */
  async #lookUp(steps: readonly Step[], known: Map<string, Known>): Promise<boolean> {
    const { log, entries, layout, secret } = this.context
    const bySender = new Map<string, Step[]>()
    for (const step of steps) bySender.set(step.entry.from, [...(bySender.get(step.entry.from) ?? []), step])
    const found = await Promise.all(
      [...bySender].map(async ([from, own]) => {
        const cids = own.map(({ entry }) => entry.item.cid)
        const docs: readonly Doc[] = await log.lookUp(this.conversation, from, cids)
        const byCid = new Map(docs.map((doc) => [doc[layout.options.messages.cid], doc]))
        return own.map((step) => ({ step, doc: byCid.get(step.entry.item.cid) }))
      }),
    )
    for (const { step, doc } of found.flat()) {
      if (!doc) continue
      const stored = entries.toStored(doc, true)
      known.set(step.key, { stored, isRetry: (item) => entries.isRetry(doc, item, secret()) })
    }
    return steps[0] !== undefined && known.has(steps[0].key)
  }
}

/** What the next insert holds: entries in order, each cid once, up to the first that depends on one before it. */
function nextSteps(jobs: readonly Job[]): Step[] {
  const steps: Step[] = []
  const keys = new Set<string>()
  let characters = 0
  for (const job of jobs)
    for (const step of job.rest()) {
      characters += step.entry.item.content.length
      const full = steps.length >= MOST_ENTRIES || (steps.length > 0 && characters > MOST_CHARACTERS)
      if (keys.has(step.key) || full) return steps
      keys.add(step.key)
      steps.push(step)
    }
  return steps
}
