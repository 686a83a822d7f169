import { KithwireError, type SendItem } from '@kithwire/protocol'
import type { Outcome, Send } from '../store.js'
import type { Database } from './mongo-database.js'
import type { Entries } from './mongo-entry.js'
import { Inserts } from './mongo-inserts.js'
import { Lane } from './mongo-lane.js'
import type { Layout } from './mongo-layout.js'
import type { MongoLog } from './mongo-log.js'
import { Peers } from './mongo-peers.js'
import { TermCache } from './mongo-term-cache.js'

/** What the lanes of all conversations share. */
export interface AppendContext {
  readonly database: Database
  readonly layout: Layout
  readonly entries: Entries
  readonly log: MongoLog
  readonly inserts: Inserts
  readonly peers: Peers
  /** Conversation → head: durable when it was noted, but other processes write, too. The unique index decides. */
  readonly heads: TermCache
  secret(): Uint8Array
}

/** Sends on their way into the log: one lane per conversation, all lanes side by side. */
export class Appends {
  readonly #context: AppendContext
  readonly #lanes = new Map<string, Lane>()

  constructor(database: Database, layout: Layout, entries: Entries, log: MongoLog, secret: () => Uint8Array) {
    this.#context = {
      database,
      layout,
      entries,
      log,
      secret,
      inserts: new Inserts(database, layout.options.collections.messages),
      peers: new Peers(database, layout),
      heads: new TermCache(database),
    }
  }

  async append(sends: readonly Send[]): Promise<Outcome[]> {
    for (const { items } of sends) for (const item of items) checkCid(item)
    const busy = sends.filter(({ items }) => items.length > 0)
    await this.#prepare([...new Set(busy.map(({ conversation }) => conversation))])
    // One that rejects must not leave the others behind: nobody hears of what they still do.
    const settled = await Promise.allSettled(
      sends.map((send) => (send.items.length > 0 ? this.#lane(send.conversation).add(send) : { stored: [] })),
    )
    const failed = settled.find((one) => one.status === 'rejected')
    if (failed) throw failed.reason
    return settled.map((one) => (one as PromiseFulfilledResult<Outcome>).value)
  }

  /** One question each for all conversations, instead of one for each. */
  async #prepare(conversations: readonly string[]): Promise<void> {
    const { heads, log, peers } = this.#context
    const unknown = conversations.filter((conversation) => !heads.has(conversation))
    await Promise.all([
      peers.load(conversations),
      unknown.length > 0 &&
        log.heads(unknown).then((found) => {
          // Another call may have written meanwhile, and then knows better.
          for (const { conversation, head } of found)
            heads.set(conversation, Math.max(head, heads.get(conversation) ?? 0))
        }),
    ])
  }

  #lane(conversation: string): Lane {
    let lane = this.#lanes.get(conversation)
    if (!lane) {
      lane = new Lane(conversation, this.#context, () => this.#lanes.delete(conversation))
      this.#lanes.set(conversation, lane)
    }
    return lane
  }
}

/** The index of cids does not hold empty ones. */
function checkCid({ cid }: SendItem): void {
  if (typeof cid !== 'string' || cid === '')
    throw new KithwireError('bad_field', `Expected a cid, came ${JSON.stringify(cid)}.`)
}
