import { KithwireError } from '@kithwire/protocol'
import { type Database, openDatabase, type RawTransaction, STORES } from './indexed-db-schema.js'
import { Work } from './indexed-db-work.js'

/** How often a transaction is tried whose connection was lost. */
const TRIES = 3

/** Errors by which a connection tells that it has ended. The transaction did nothing. */
const LOST = new Set(['InvalidStateError', 'AbortError', 'TransactionInactiveError'])

type Mode = 'readonly' | 'readwrite'

/** The connection to one database; a new one if the old one was lost. Its user does one transaction at a time. */
export class IndexedDbConnection {
  private opening: Promise<Database> | undefined
  private opened = 0
  private looked = 0
  private ended = false

  constructor(
    readonly name: string,
    private readonly openTimeoutMs: number,
    /** Called before the first transaction on a new connection: what is in there may be another database. */
    private readonly reopened: () => Promise<void>,
  ) {}

  /** Resolves when what was written is on the disk. */
  async run<T>(mode: Mode, task: (work: Work) => Promise<T>): Promise<[value: T, work: Work]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.transact(mode, task)
      } catch (error) {
        if (tries >= TRIES || this.ended || !LOST.has((error as Error)?.name)) throw error
        this.drop()
      }
    }
  }

  /** Ends the connection; every later transaction fails. */
  end(): void {
    this.ended = true
    this.drop()
  }

  /** Deletes the database. Others who have it open are asked to close it. */
  async destroy(): Promise<void> {
    this.end()
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(this.name)
      request.onsuccess = () => resolve()
      request.onerror = () => reject(request.error)
      // Somebody who sleeps has it open: it goes when they wake up.
      request.onblocked = () => resolve()
    })
  }

  private async transact<T>(mode: Mode, task: (work: Work) => Promise<T>): Promise<[T, Work]> {
    const db = await this.open()
    if (this.looked < this.opened) {
      const again = this.looked > 0
      this.looked = this.opened
      if (again) await this.reopened()
    }
    const raw = db.transaction(STORES, mode, mode === 'readonly' ? {} : { durability: 'strict' })
    const work = new Work(raw as RawTransaction)
    try {
      const value = await task(work)
      await work.commit()
      return [value, work]
    } catch (error) {
      work.abort()
      throw (raw.error as Error | null) ?? error
    }
  }

  private open(): Promise<Database> {
    if (this.ended) return Promise.reject(new KithwireError('closed'))
    this.opening ??= this.inTime(openDatabase(this.name, () => this.drop()))
    return this.opening
  }

  /** Some browsers at times never answer; another tab may refuse to let go of an older version. */
  private inTime(opening: Promise<Database>): Promise<Database> {
    return new Promise((resolve, reject) => {
      const late = () =>
        reject(new KithwireError('store_failed', `IndexedDB did not open within ${this.openTimeoutMs} ms.`))
      const timer = setTimeout(late, this.openTimeoutMs)
      opening.then((db) => {
        clearTimeout(timer)
        // Too late: nobody would close it, and it would be in the way of others.
        if (this.ended) return db.close()
        this.opened++
        resolve(db)
      }, reject)
    })
  }

  private drop(): void {
    const { opening } = this
    this.opening = undefined
    opening?.then((db) => db.close()).catch(() => {})
  }
}
