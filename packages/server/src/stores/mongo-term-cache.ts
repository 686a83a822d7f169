import { LRUCache } from 'lru-cache'
import type { Database } from './mongo-database.js'

/** Conversations of which something is remembered. */
const REMEMBERED = 50_000

/**
 * A number per conversation, remembered until the primary changes. Within a term such a number only grows; with a new
 * one the data may be of a backup, and a head that is too high would leave a gap.
 */
export class TermCache {
  readonly #numbers = new LRUCache<string, number>({ max: REMEMBERED })
  #term = 0

  constructor(private readonly database: Database) {}

  has(conversation: string): boolean {
    return this.#current().has(conversation)
  }

  get(conversation: string): number | undefined {
    return this.#current().get(conversation)
  }

  set(conversation: string, value: number): void {
    this.#current().set(conversation, value)
  }

  delete(conversation: string): void {
    this.#current().delete(conversation)
  }

  #current(): LRUCache<string, number> {
    const { term } = this.database
    if (term !== this.#term) this.#numbers.clear()
    this.#term = term
    return this.#numbers
  }
}
