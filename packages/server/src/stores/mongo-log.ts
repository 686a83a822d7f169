import { COUNTABLE_TYPES, isInteger } from '@kithwire/protocol'
import type { CountRange, Entry, Head, Range, Stored } from '../store.js'
import type { Doc } from './mongo-connection.js'
import { type Database, isTaken } from './mongo-database.js'
import type { Entries } from './mongo-entry.js'
import type { Layout } from './mongo-layout.js'
import { TermCache } from './mongo-term-cache.js'

/** Conversations in one question for heads. */
const HEADS_AT_ONCE = 1_000

/** Entries that retention blanks with one command. */
const BLANKED_AT_ONCE = 500

/** The most that MongoDB takes for a limit. */
const MOST = 0x7fff_ffff

/** Entries as they are read: durable ones only. */
export class MongoLog {
  /** Conversation → first seq with content: never too high, but another process may have raised it. */
  readonly #firsts: TermCache

  constructor(
    private readonly database: Database,
    private readonly layout: Layout,
    private readonly entries: Entries,
  ) {
    this.#firsts = new TermCache(database)
  }

  async read(conversation: string, range: Range): Promise<Entry[]> {
    const limit = Math.min(MOST, Math.floor(range.limit))
    if (!(limit > 0)) return []
    const docs = 'after' in range ? await this.#after(conversation, range.after, limit) : undefined
    if (docs) return docs.map((doc) => this.entries.toEntry(conversation, doc))
    const { before } = range as { before: number }
    const first = this.#firsts.get(conversation) ?? 1
    const rows = await this.database.read(this.page(conversation, { $gte: first, $lt: before }, limit, -1))
    // What is blanked stands below the first, so below everything that is shown.
    const shown = rows.filter((doc) => !this.entries.isBlanked(doc))
    return shown.reverse().map((doc) => this.entries.toEntry(conversation, doc))
  }

  /** What these cids of a sender became, as documents. */
  async lookUp(conversation: string, from: string, cids: readonly string[]): Promise<readonly Doc[]> {
    if (cids.length === 0) return []
    const { options, ids, cidIndex } = this.layout
    const { messages: names } = options
    const filter = {
      [names.conversation]: ids.to('conversation', conversation),
      [names.from]: ids.to('from', from),
      [names.cid]: { $in: [...new Set(cids)] },
    }
    const find = { find: options.collections.messages, filter, hint: cidIndex.name }
    return this.database.read({ ...find, batchSize: cids.length, singleBatch: true })
  }

  async find(conversation: string, from: string, cids: readonly string[]): Promise<(Stored | undefined)[]> {
    const found = new Map<unknown, Doc>()
    for (const doc of await this.lookUp(conversation, from, cids)) found.set(doc[this.layout.options.messages.cid], doc)
    return cids.map((cid) => {
      const doc = found.get(cid)
      return doc && this.entries.toStored(doc, true)
    })
  }

  async heads(conversations: readonly string[]): Promise<Head[]> {
    const heads = new Map<string, Head>()
    const names = [...new Set(conversations)]
    for (let start = 0; start < names.length; start += HEADS_AT_ONCE) {
      const part = names.slice(start, start + HEADS_AT_ONCE)
      const logs = { find: this.layout.options.collections.logs, filter: { _id: { $in: part } } }
      const [ends, firsts] = await Promise.all([
        this.database.read(this.headsOf(part)),
        this.database.read({ ...logs, batchSize: part.length, singleBatch: true }),
      ])
      for (const { _id, seq, id } of ends) {
        const conversation = this.layout.ids.from(_id)
        const tail = this.layout.ids.from(id).slice(-8)
        heads.set(conversation, { conversation, head: Number(seq), first: 1, tail })
      }
      for (const { _id, first } of firsts) {
        const head = heads.get(String(_id))
        // The two questions are answered at two moments.
        if (head) head.first = Math.min(Number(first), head.head + 1)
      }
    }
    return conversations.map((conversation) => heads.get(conversation) ?? { conversation, head: 0, first: 1, tail: '' })
  }

  /** Small ranges in one question each, all at once. */
  async count(ranges: readonly CountRange[]): Promise<number[]> {
    const heads = await this.heads([...new Set(ranges.map(({ conversation }) => conversation))])
    const firsts = new Map(heads.map(({ conversation, first }) => [conversation, first]))
    return Promise.all(ranges.map((range) => this.#count(range, firsts.get(range.conversation) ?? 1)))
  }

  async #count({ conversation, after, to, except }: CountRange, first: number): Promise<number> {
    const { options, ids, seqIndex } = this.layout
    const { messages: names, collections } = options
    const $match = {
      [names.conversation]: ids.to('conversation', conversation),
      [names.seq]: { $gt: Math.max(after, first - 1, 0), $lte: to },
      [names.from]: { $ne: ids.to('from', except) },
      // Rows of before Kithwire may have no type, and are text then.
      [names.type]: { $in: [...COUNTABLE_TYPES, null] },
    }
    const aggregate = { aggregate: collections.messages, pipeline: [{ $match }, { $count: 'n' }], hint: seqIndex.name }
    const [found] = await this.database.read({ ...aggregate, cursor: { batchSize: 2 } })
    return Number(found?.n ?? 0)
  }

  async tail(conversation: string, seq: number): Promise<string> {
    const [doc] = await this.database.read(this.page(conversation, { $eq: seq, $gt: 0 }, 1))
    return doc ? this.layout.ids.from(doc._id).slice(-8) : ''
  }

  /** Not shown first, blanked then; if it is broken off, the next call for the conversation goes on. */
  async retain(conversation: string, first: number, secret: Uint8Array): Promise<void> {
    const [head] = await this.heads([conversation])
    if (!head || head.head === 0 || !isInteger(first, 1)) return
    const target = Math.min(first, head.head + 1)
    let { blanked } = await this.#raise(conversation, { first: Math.max(head.first, target) })
    while (blanked < target) {
      const end = Math.min(target, blanked + BLANKED_AT_ONCE)
      const docs = await this.database.read(this.page(conversation, { $gte: blanked, $lt: end }, BLANKED_AT_ONCE))
      await this.#blank(
        docs.filter((doc) => !this.entries.isBlanked(doc)),
        secret,
      )
      ;({ blanked } = await this.#raise(conversation, { blanked: end }))
    }
  }

  /** The command for entries of a conversation, in the order of their seqs. */
  page(conversation: string, seq: Doc, limit: number, order: 1 | -1 = 1): Doc {
    const { options, ids, seqIndex } = this.layout
    const { messages: names, collections } = options
    return {
      find: collections.messages,
      filter: { [names.conversation]: ids.to('conversation', conversation), [names.seq]: seq },
      sort: { [names.seq]: order },
      hint: seqIndex.name,
      limit,
      batchSize: limit,
      singleBatch: true,
    }
  }

  /** The command for the ends of logs: by this form the index is entered once for each of them. */
  headsOf(conversations: readonly string[]): Doc {
    const { options, ids, seqIndex } = this.layout
    const { conversation, seq } = options.messages
    const all = conversations.map((name) => ids.to('conversation', name))
    return {
      aggregate: options.collections.messages,
      pipeline: [
        { $match: { [conversation]: { $in: all }, [seq]: { $gt: 0 } } },
        { $sort: { [conversation]: -1, [seq]: -1 } },
        { $group: { _id: `$${conversation}`, seq: { $first: `$${seq}` }, id: { $first: '$_id' } } },
      ],
      hint: seqIndex.name,
      // One more than there can be, or the server would keep the cursor for more.
      cursor: { batchSize: conversations.length + 1 },
    }
  }

  async #after(conversation: string, after: number, limit: number): Promise<readonly Doc[]> {
    for (let first = this.#firsts.get(conversation) ?? 1; ; ) {
      const docs = await this.database.read(this.page(conversation, { $gt: Math.max(after, first - 1) }, limit))
      if (!docs.some((doc) => this.entries.isBlanked(doc))) return docs
      // Another process has cut the log.
      const known = first
      first = (await this.#raise(conversation, {})).first
      if (first === known) return docs.filter((doc) => !this.entries.isBlanked(doc))
    }
  }

  /** Raises what is known of a log, and answers with what is known now. */
  async #raise(conversation: string, raise: { first?: number; blanked?: number }) {
    const { logs } = this.layout.options.collections
    if (Object.keys(raise).length > 0) {
      const update = { q: { _id: conversation }, u: { $max: raise }, upsert: true }
      while (isTaken(await this.database.write({ update: logs, updates: [update] })));
    }
    const find = { find: logs, filter: { _id: conversation }, limit: 1, singleBatch: true }
    const [log] = await this.database.read(find)
    const first = Number(log?.first ?? 1)
    this.#firsts.set(conversation, first)
    return { first, blanked: Number(log?.blanked ?? 1) }
  }

  async #blank(docs: readonly Doc[], secret: Uint8Array): Promise<void> {
    if (docs.length === 0) return
    const { messages: names, collections } = this.layout.options
    const updates = docs.map((doc) => ({
      q: { _id: doc._id },
      u: { $set: { [names.content]: '', [names.hash]: this.entries.hash(doc, secret) }, $unset: { [names.meta]: 1 } },
    }))
    isTaken(await this.database.write({ update: collections.messages, updates, ordered: false }))
  }
}
