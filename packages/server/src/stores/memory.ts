import {
  isCountable,
  isInteger,
  KithwireError,
  newId,
  type Runtime,
  type SendItem,
  systemRuntime,
} from '@kithwire/protocol'
import type { CountRange, Entry, FriendshipRows, Head, Mark, Outcome, Range, Send, Store, Stored } from '../store.js'
import { fingerprint, sameContent } from './fingerprint.js'
import { MemoryFriendshipRows } from './memory-friendships.js'
import { mergeMark } from './merge-mark.js'

export interface MemoryStoreOptions {
  /** Clock and randomness. @default systemRuntime */
  runtime?: Runtime
}

interface Row extends Omit<Entry, 'conversation' | 'meta'> {
  /** As JSON, so that nobody who holds an entry can change the log. */
  meta?: string
  /** Instead of the content, once that is blanked. */
  hash?: Buffer
}

interface Log {
  /** The entry with seq n stands at n − 1. */
  rows: Row[]
  bySender: Map<string, Map<string, Row>>
  first: number
  marks: Map<string, Mark>
}

/**
 * A log in the memory of this process: for tests, demos and trying things out. It keeps every rule of the contract but
 * the first: it forgets everything when the process ends, and says so by `durable: false`.
 */
export class MemoryStore implements Store {
  readonly durable: boolean = false
  readonly parallel = 1
  readonly friendships: FriendshipRows
  readonly #runtime: Runtime
  readonly #logs = new Map<string, Log>()
  readonly #secret: Uint8Array
  readonly #epoch: string
  #closed = false

  constructor({ runtime = systemRuntime }: MemoryStoreOptions = {}) {
    this.#runtime = runtime
    this.#secret = runtime.bytes(32)
    this.#epoch = newId(runtime)
    this.friendships = new MemoryFriendshipRows(() => this.#check())
  }

  async append(sends: readonly Send[]): Promise<Outcome[]> {
    this.#check()
    return sends.map((send) => this.#store(send))
  }

  async read(conversation: string, range: Range): Promise<Entry[]> {
    this.#check()
    const log = this.#logs.get(conversation)
    if (!log || !(range.limit > 0)) return []
    const lowest = log.first - 1
    if ('after' in range) {
      const start = Math.max(range.after, lowest)
      return log.rows.slice(start, start + range.limit).map((row) => toEntry(conversation, row))
    }
    const end = Math.max(0, Math.min(range.before - 1, log.rows.length))
    return log.rows.slice(Math.max(lowest, end - range.limit), end).map((row) => toEntry(conversation, row))
  }

  async find(conversation: string, from: string, cids: readonly string[]): Promise<(Stored | undefined)[]> {
    this.#check()
    const rows = this.#logs.get(conversation)?.bySender.get(from)
    return cids.map((cid) => {
      const row = rows?.get(cid)
      return row && toStored(row, true)
    })
  }

  async heads(conversations: readonly string[]): Promise<Head[]> {
    this.#check()
    return conversations.map((conversation) => {
      const log = this.#logs.get(conversation)
      const last = log?.rows.at(-1)
      return { conversation, head: last?.seq ?? 0, first: log?.first ?? 1, tail: last?.id.slice(-8) ?? '' }
    })
  }

  async tail(conversation: string, seq: number): Promise<string> {
    this.#check()
    return this.#logs.get(conversation)?.rows[seq - 1]?.id.slice(-8) ?? ''
  }

  async count(ranges: readonly CountRange[]): Promise<number[]> {
    this.#check()
    return ranges.map(({ conversation, after, to, except }) => {
      const log = this.#logs.get(conversation)
      const rows = log?.rows.slice(Math.max(after, log.first - 1), Math.max(0, to)) ?? []
      return rows.filter((row) => row.from !== except && isCountable(row.type)).length
    })
  }

  async marks(conversations: readonly string[]): Promise<Mark[]> {
    this.#check()
    return [...new Set(conversations)].flatMap((conversation) =>
      [...(this.#logs.get(conversation)?.marks.values() ?? [])].map((mark) => ({ ...mark })),
    )
  }

  async mark(marks: readonly Mark[]): Promise<Mark[]> {
    this.#check()
    return marks.map((news) => {
      const { marks: known } = this.#log(news.conversation)
      const merged = mergeMark(known.get(news.user), news)
      known.set(news.user, merged)
      return { ...merged }
    })
  }

  async retain(conversation: string, first: number): Promise<void> {
    this.#check()
    const log = this.#logs.get(conversation)
    if (!log || !isInteger(first, 1)) return
    const target = Math.min(first, log.rows.length + 1)
    for (; log.first < target; log.first++) {
      const row = log.rows[log.first - 1]!
      row.hash = fingerprint(this.#secret, toEntry(conversation, row))
      row.content = ''
      delete row.meta
    }
  }

  async epoch(): Promise<string> {
    this.#check()
    return this.#epoch
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #check(): void {
    if (this.#closed) throw new KithwireError('closed', 'The store was closed.')
  }

  #log(conversation: string): Log {
    let log = this.#logs.get(conversation)
    if (!log) {
      log = { rows: [], bySender: new Map(), first: 1, marks: new Map() }
      this.#logs.set(conversation, log)
    }
    return log
  }

  #store({ conversation, from, items }: Send): Outcome {
    const log = this.#log(conversation)
    let known = log.bySender.get(from)
    if (!known) {
      known = new Map()
      log.bySender.set(from, known)
    }
    const stored: Stored[] = []
    for (const item of items) {
      const original = known.get(item.cid)
      if (original && !this.#same(conversation, original, item))
        return { stored, refused: { index: stored.length, code: 'cid_conflict' } }
      const row = original ?? this.#row(from, log.rows.length + 1, item)
      if (!original) {
        log.rows.push(row)
        known.set(item.cid, row)
      }
      stored.push(toStored(row, original !== undefined))
    }
    return { stored }
  }

  #row(from: string, seq: number, { cid, type, content, ref, meta }: SendItem): Row {
    const row: Row = { id: newId(this.#runtime), seq, from, cid, type, content, createdAt: this.#runtime.now() }
    if (ref) row.ref = [ref[0], ref[1]]
    if (meta) row.meta = JSON.stringify(meta)
    return row
  }

  #same(conversation: string, row: Row, item: SendItem): boolean {
    if (row.hash) return row.hash.equals(fingerprint(this.#secret, item))
    return sameContent(toEntry(conversation, row), item)
  }
}

const toStored = ({ seq, id, createdAt }: Row, duplicate: boolean): Stored => ({ seq, id, at: createdAt, duplicate })

function toEntry(conversation: string, { id, seq, from, cid, type, content, createdAt, ref, meta }: Row): Entry {
  const entry: Entry = { id, conversation, seq, from, cid, type, content, createdAt }
  if (ref) entry.ref = [ref[0], ref[1]]
  if (meta !== undefined) entry.meta = JSON.parse(meta)
  return entry
}
