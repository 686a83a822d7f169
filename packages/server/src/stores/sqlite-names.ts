import { LRUCache } from 'lru-cache'
import type { Database } from './sqlite-database.js'
import { toSql } from './sqlite-text.js'

/** Names of one table that are remembered: a few MB at most, and most of what is busy at one time. */
const REMEMBERED = 50_000

/** Conversations or users as integers: eight times smaller in every row and index than the ids of an app. */
export class Names {
  readonly #known = new LRUCache<string, number>({ max: REMEMBERED })
  readonly #select: string
  readonly #insert: string

  constructor(
    private readonly database: Database,
    table: 'conversation' | 'user',
  ) {
    this.#select = `SELECT id FROM ${table} WHERE name = ?`
    this.#insert = `INSERT INTO ${table} (name) VALUES (?)`
  }

  /** The integer of a name, made if there is none. Only in a write transaction. */
  intern(name: string): number {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const value = toSql(name)
    const row = this.database.statement(this.#select).get(value)
    const id = Number(row ? row.id : this.database.statement(this.#insert).run(value).lastInsertRowid)
    this.#known.set(name, id)
    return id
  }

  /** After a transaction that may have made names was undone. */
  forget(): void {
    this.#known.clear()
  }
}
