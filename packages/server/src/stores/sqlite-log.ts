import { COUNTABLE_TYPES, newId, type SendItem } from '@kithwire/protocol'
import { LRUCache } from 'lru-cache'
import type { CountRange, Entry, Head, Outcome, Range, Send, Stored } from '../store.js'
import { fingerprint } from './fingerprint.js'
import type { Database } from './sqlite-database.js'
import type { SqlRow } from './sqlite-driver.js'
import {
  asList,
  CONTENT_COLUMNS,
  ENTRY_COLUMNS,
  ENTRY_JOINS,
  isRetry,
  toContent,
  toEntry,
  toStored,
} from './sqlite-entry.js'
import { CommitFailed, refusalOf } from './sqlite-errors.js'
import type { Names } from './sqlite-names.js'
import { cidToSql, fromSql, toSql } from './sqlite-text.js'

const INSERT = `
  INSERT INTO entry (conversation, seq, sender, id, cid, at, type, content, ref_sender, ref_cid, meta)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
const BY_CID = `
  SELECT e.seq, e.id, e.at, e.hash, ${CONTENT_COLUMNS} FROM entry e LEFT JOIN user r ON r.id = e.ref_sender
  WHERE e.cid = ? AND e.conversation = ? AND e.sender = ?`
const FIND = `
  SELECT seq, id, at FROM entry
  WHERE cid = ? AND conversation = (SELECT id FROM conversation WHERE name = ?)
    AND sender = (SELECT id FROM user WHERE name = ?)`
const HEAD_SEQ = 'SELECT max(seq) AS seq FROM entry WHERE conversation = ?'
const HEAD = `
  SELECT c.first, e.seq, e.id FROM conversation c LEFT JOIN entry e
    ON e.conversation = c.id AND e.seq = (SELECT max(seq) FROM entry WHERE conversation = c.id)
  WHERE c.name = ?`
// One statement, so that `first` and the entries are of one state of the file; one lower bound, so that the index is
// entered at it.
const AFTER = `
  SELECT ${ENTRY_COLUMNS} FROM conversation c JOIN entry e ON e.conversation = c.id ${ENTRY_JOINS}
  WHERE c.name = ? AND e.seq > max(?, c.first - 1) ORDER BY e.seq LIMIT ?`
const BEFORE = `
  SELECT ${ENTRY_COLUMNS} FROM conversation c JOIN entry e ON e.conversation = c.id ${ENTRY_JOINS}
  WHERE c.name = ? AND e.seq >= c.first AND e.seq < ? ORDER BY e.seq DESC LIMIT ?`
const LIST_AFTER = asList(AFTER)
const LIST_BEFORE = asList(BEFORE)
const ID_AT = `
  SELECT e.id FROM conversation c JOIN entry e ON e.conversation = c.id WHERE c.name = ? AND e.seq = ?`
const COUNT = `
  SELECT count(*) AS n FROM conversation c JOIN entry e ON e.conversation = c.id
  WHERE c.name = ? AND e.seq > max(?, c.first - 1) AND e.seq <= ?
    AND e.sender IS NOT (SELECT id FROM user WHERE name = ?)
    AND e.type IN (${COUNTABLE_TYPES.map((type) => `'${type}'`).join(', ')})`
const TO_BLANK = `
  SELECT e.pos, e.seq, ${CONTENT_COLUMNS} FROM entry e LEFT JOIN user r ON r.id = e.ref_sender
  WHERE e.conversation = ? AND e.seq >= ? AND e.seq < ? ORDER BY e.seq`

const bounds = (conversation: string, range: Range) =>
  [
    toSql(conversation),
    'after' in range ? range.after : range.before,
    Math.max(0, Math.floor(range.limit)) || 0,
  ] as const

/** Heads that are remembered. */
const REMEMBERED = 50_000

/** Entries that retention blanks in one transaction: a few ms, so that what people send need not wait for long. */
const BLANKED_AT_ONCE = 500

/** The entries. Everything runs to its end on the thread that calls. */
export class SqliteLog {
  /** Conversation → head: a guess, for other processes write too. The unique index has the last word. */
  readonly #heads = new LRUCache<number, number>({ max: REMEMBERED })
  #dataVersion: unknown
  #generation = 0
  #secret: Uint8Array | undefined

  constructor(
    private readonly database: Database,
    private readonly conversations: Names,
    private readonly users: Names,
  ) {}

  /** One transaction, whatever the number of sends. `at` is the server's wall clock in ms. */
  append(sends: readonly Send[], at: number): Outcome[] {
    try {
      return this.#write(() => sends.map((send) => this.#store(send, at)))
    } catch (error) {
      const code = error instanceof CommitFailed ? undefined : refusalOf(error)
      if (!code) throw error
      return sends.map(({ items }) => (items.length ? { stored: [], refused: { index: 0, code } } : { stored: [] }))
    }
  }

  read(conversation: string, range: Range): Entry[] {
    const rows = this.database.statement('after' in range ? AFTER : BEFORE).all(...bounds(conversation, range))
    const entries = rows.map((row) => toEntry(conversation, row))
    return 'after' in range ? entries : entries.reverse()
  }

  /** The same as one text for `fromList`, which takes a third of the time; undefined where that is not possible. */
  list(conversation: string, range: Range): string | undefined {
    const statement = this.database.statement('after' in range ? LIST_AFTER : LIST_BEFORE)
    try {
      return fromSql(statement.get(...bounds(conversation, range))?.list)
    } catch {
      // A BLOB, most likely. If it is something else, reading the rows tells.
      return undefined
    }
  }

  find(conversation: string, from: string, cids: readonly string[]): (Stored | undefined)[] {
    const name = toSql(conversation)
    const sender = toSql(from)
    return this.database.snapshot(() =>
      cids.map((cid) => {
        const row = this.database.statement(FIND).get(cidToSql(cid), name, sender)
        return row && toStored(row, true)
      }),
    )
  }

  heads(conversations: readonly string[]): Head[] {
    return this.database.snapshot(() =>
      conversations.map((conversation) => {
        const row = this.database.statement(HEAD).get(toSql(conversation))
        if (row?.seq == null) return { conversation, head: 0, first: 1, tail: '' }
        return { conversation, head: Number(row.seq), first: Number(row.first), tail: fromSql(row.id).slice(-8) }
      }),
    )
  }

  count(ranges: readonly CountRange[]): number[] {
    const statement = this.database.statement(COUNT)
    return this.database.snapshot(() =>
      ranges.map(({ conversation, after, to, except }) =>
        Number(statement.get(toSql(conversation), after, to, toSql(except))?.n),
      ),
    )
  }

  tail(conversation: string, seq: number): string {
    const row = this.database.statement(ID_AT).get(toSql(conversation), seq)
    return row ? fromSql(row.id).slice(-8) : ''
  }

  /** Blanks the next entries below `first`. True when none is left; until then it wants to be called again. */
  retain(conversation: string, first: number): boolean {
    return this.#write(() => {
      const row = this.database.statement('SELECT id, first FROM conversation WHERE name = ?').get(toSql(conversation))
      if (!row) return true
      const id = Number(row.id)
      const start = Number(row.first)
      const target = Math.min(first, this.#headOf(id) + 1)
      const end = Math.min(target, start + BLANKED_AT_ONCE)
      if (!(end > start)) return true
      for (const entry of this.database.statement(TO_BLANK).all(id, start, end)) this.#blank(entry)
      this.database.statement('UPDATE conversation SET first = ? WHERE id = ?').run(end, id)
      return end >= target
    })
  }

  epoch(): string {
    return fromSql(this.database.statement("SELECT value FROM store WHERE key = 'epoch'").get()?.value)
  }

  #write<T>(work: () => T): T {
    try {
      return this.database.write(() => {
        this.#checkHeads()
        return work()
      })
    } catch (error) {
      this.#heads.clear()
      this.conversations.forget()
      this.users.forget()
      throw error
    }
  }

  /** Another writer, or another connection: what is remembered may be behind, or after an operator's work, ahead. */
  #checkHeads(): void {
    const version = this.database.statement('PRAGMA data_version').get()?.data_version
    if (version === this.#dataVersion && this.database.generation === this.#generation) return
    this.#dataVersion = version
    this.#generation = this.database.generation
    this.#heads.clear()
  }

  #store({ conversation, from, items }: Send, at: number): Outcome {
    const stored: Stored[] = []
    if (items.length === 0) return { stored }
    const log = this.conversations.intern(conversation)
    const sender = this.users.intern(from)
    for (const item of items) {
      const one = this.#insert(log, sender, item, at)
      if (!one) return { stored, refused: { index: stored.length, code: 'cid_conflict' } }
      stored.push(one)
    }
    return { stored }
  }

  /** Undefined for a conflict. */
  #insert(log: number, sender: number, item: SendItem, at: number): Stored | undefined {
    const { type, content, ref, meta } = item
    const cid = cidToSql(item.cid)
    const id = newId(this.database.options.runtime)
    const refSender = ref ? this.users.intern(ref[0]) : null
    const refCid = ref ? cidToSql(ref[1]) : null
    const json = meta ? JSON.stringify(meta) : null
    for (let head = this.#headOf(log); ; ) {
      const seq = head + 1
      const { changes } = this.database
        .statement(INSERT)
        .run(log, seq, sender, id, cid, at, toSql(type), toSql(content), refSender, refCid, json)
      if (Number(changes) === 1) {
        this.#heads.set(log, seq)
        return { seq, id, at, duplicate: false }
      }
      const original = this.database.statement(BY_CID).get(cid, log, sender)
      if (original) return isRetry(original, item, this.#key()) ? toStored(original, true) : undefined
      // So it was the seq that is taken. Under the write lock the second look is right.
      const before = head
      this.#heads.delete(log)
      head = this.#headOf(log)
      if (head === before) throw new Error(`Entry ${seq} of conversation ${log} was refused without a reason.`)
    }
  }

  #headOf(log: number): number {
    const known = this.#heads.get(log)
    if (known !== undefined) return known
    const head = Number((this.database.statement(HEAD_SEQ).get(log) as SqlRow).seq ?? 0)
    this.#heads.set(log, head)
    return head
  }

  #blank(row: SqlRow): void {
    const hash = fingerprint(this.#key(), toContent(row))
    this.database.statement("UPDATE entry SET content = '', meta = NULL, hash = ? WHERE pos = ?").run(hash, row.pos!)
  }

  #key(): Uint8Array {
    this.#secret ??= this.database.statement("SELECT value FROM store WHERE key = 'secret'").get()?.value as Uint8Array
    return this.#secret
  }
}
