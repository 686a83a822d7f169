import { newId, type SendItem } from '@kithwire/protocol'
import { LRUCache } from 'lru-cache'
import type { CountRange, Entry, Head, Outcome, Range, Send, Stored } from '../store.js'
import { fingerprint } from './fingerprint.js'
import type { Database } from './sqlite-database.js'
import type { SqlRow } from './sqlite-driver.js'
import { CONTENT_COLUMNS, isRetry, toContent, toEntry, toStored } from './sqlite-entry.js'
import { CommitFailed, refusalOf } from './sqlite-errors.js'
import type { Names } from './sqlite-names.js'
import { Recent } from './sqlite-recent.js'
import { COUNT, ENTRIES, LIST, rowsOf, type Span, TO_BLANK } from './sqlite-span.js'
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
const HEAD_SEQ = 'SELECT max(seq) AS seq FROM place WHERE conversation = ?'
const CONVERSATION = 'SELECT id, first FROM conversation WHERE name = ?'
const ID_AT = 'SELECT e.id FROM place p JOIN entry e ON e.pos = p.pos WHERE p.conversation = ? AND p.seq = ?'
const ID_OF = 'SELECT id FROM entry WHERE pos = ?'

/** Heads that are remembered. */
const REMEMBERED = 50_000

/** Entries that retention blanks in one transaction: a few ms, so that what people send need not wait for long. */
const BLANKED_AT_ONCE = 500

/** The entries. Everything runs to its end on the thread that calls. */
export class SqliteLog {
  readonly #recent: Recent
  /** Conversation → head, of those without recent entries. */
  readonly #heads = new LRUCache<number, number>({ max: REMEMBERED })
  #secret: Uint8Array | undefined

  constructor(
    private readonly database: Database,
    private readonly conversations: Names,
    private readonly users: Names,
  ) {
    this.#recent = new Recent(database)
  }

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
    return this.#look(() => {
      const span = this.#spanOf(conversation, range)
      return span ? rowsOf(this.database, ENTRIES, span).map((row) => toEntry(conversation, row)) : []
    })
  }

  /** The same as one text for `fromList`, which takes a third of the time; undefined where that is not possible. */
  list(conversation: string, range: Range): string | undefined {
    try {
      return this.#look(() => {
        const span = this.#spanOf(conversation, range)
        if (!span) return '[]'
        const [older = '[]', newer = '[]'] = rowsOf(this.database, LIST, span).map((row) => fromSql(row.list))
        return newer === '[]' ? older : older === '[]' ? newer : `${older.slice(0, -1)},${newer.slice(1)}`
      })
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
    return this.#look(() =>
      conversations.map((conversation) => {
        const log = this.#find(conversation)
        const head = log ? this.#headOf(log.id) : 0
        if (!log || head === 0) return { conversation, head: 0, first: 1, tail: '' }
        return { conversation, head, first: log.first, tail: this.#tailAt(log.id, head) }
      }),
    )
  }

  count(ranges: readonly CountRange[]): number[] {
    return this.#look(() =>
      ranges.map(({ conversation, after, to, except }) => {
        const span = this.#spanOf(conversation, { after, limit: to - after })
        if (!span) return 0
        return rowsOf(this.database, COUNT, span, toSql(except)).reduce((sum, { n }) => sum + Number(n), 0)
      }),
    )
  }

  tail(conversation: string, seq: number): string {
    return this.#look(() => {
      const log = this.#find(conversation)
      return log ? this.#tailAt(log.id, seq) : ''
    })
  }

  /** Blanks the next entries below `first`. True when none is left; until then it wants to be called again. */
  retain(conversation: string, first: number): boolean {
    return this.#write(() => {
      const log = this.#find(conversation)
      if (!log) return true
      const target = Math.min(first, this.#headOf(log.id) + 1)
      const end = Math.min(target, log.first + BLANKED_AT_ONCE)
      if (!(end > log.first)) return true
      for (const entry of rowsOf(this.database, TO_BLANK, this.#recent.span(log.id, log.first, end - 1)))
        this.#blank(entry)
      this.database.statement('UPDATE conversation SET first = ? WHERE id = ?').run(end, log.id)
      return end >= target
    })
  }

  epoch(): string {
    return fromSql(this.database.statement("SELECT value FROM store WHERE key = 'epoch'").get()?.value)
  }

  #write<T>(work: () => T): T {
    try {
      return this.database.write(() => {
        this.#refresh()
        this.#recent.placeIfMany((conversation, head) => this.#heads.set(conversation, head))
        return work()
      })
    } catch (error) {
      this.#heads.clear()
      this.#recent.forget()
      this.conversations.forget()
      this.users.forget()
      throw error
    }
  }

  /** Looks at one state of the file. */
  #look<T>(work: () => T): T {
    return this.database.snapshot(() => {
      this.#refresh()
      return work()
    })
  }

  /** Another writer, or another connection: what is remembered may be behind, or after an operator's work, ahead. */
  #refresh(): void {
    if (this.#recent.refresh()) this.#heads.clear()
  }

  #find(conversation: string): { id: number; first: number } | undefined {
    const row = this.database.statement(CONVERSATION).get(toSql(conversation))
    return row && { id: Number(row.id), first: Number(row.first) }
  }

  /** Where the entries of a range are; undefined if there are none. Without gaps, seqs are arithmetic. */
  #spanOf(conversation: string, range: Range): Span | undefined {
    const log = this.#find(conversation)
    if (!log) return undefined
    const limit = Math.max(0, Math.floor(range.limit)) || 0
    const head = this.#headOf(log.id)
    let from = log.first
    let to = head
    if ('after' in range) {
      from = Math.max(range.after + 1, log.first)
      to = Math.min(head, from + limit - 1)
    } else {
      to = Math.min(range.before - 1, head)
      from = Math.max(log.first, to - limit + 1)
    }
    return from > to ? undefined : this.#recent.span(log.id, from, to)
  }

  #tailAt(id: number, seq: number): string {
    const [pos] = this.#recent.span(id, seq, seq).recent
    const row =
      pos === undefined ? this.database.statement(ID_AT).get(id, seq) : this.database.statement(ID_OF).get(pos)
    return row ? fromSql(row.id).slice(-8) : ''
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
    // Nobody else can write now, so this is the next.
    const seq = this.#headOf(log) + 1
    const refSender = ref ? this.users.intern(ref[0]) : null
    const refCid = ref ? cidToSql(ref[1]) : null
    const json = meta ? JSON.stringify(meta) : null
    const { changes, lastInsertRowid } = this.database
      .statement(INSERT)
      .run(log, seq, sender, id, cid, at, toSql(type), toSql(content), refSender, refCid, json)
    if (Number(changes) === 1) {
      this.#recent.add(log, seq, Number(lastInsertRowid))
      return { seq, id, at, duplicate: false }
    }
    const original = this.database.statement(BY_CID).get(cid, log, sender)
    if (!original) throw new Error(`Entry ${seq} of conversation ${log} was refused without a reason.`)
    return isRetry(original, item, this.#key()) ? toStored(original, true) : undefined
  }

  #headOf(log: number): number {
    const known = this.#recent.headOf(log) ?? this.#heads.get(log)
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
