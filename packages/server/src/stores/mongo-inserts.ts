import type { Doc, WriteError } from './mongo-connection.js'
import type { Database } from './mongo-database.js'

/** What became of the documents of one conversation. */
export interface Inserted {
  /** How many are durable, counted from the first. */
  count: number
  /** Why the next one was refused; undefined if all are durable. */
  error?: WriteError
}

interface Group {
  docs: readonly Doc[]
  resolve(inserted: Inserted): void
  reject(error: unknown): void
}

/** Documents in one command, unless one conversation alone has more. */
const MOST_TOGETHER = 128

/**
 * Durable inserts into the collection of the entries. What is inserted in one turn goes into one command, in order: a
 * command costs as much as many documents. A failure leaves a prefix of it, and so of every conversation in it; without
 * an order, an entry could be stored without the one before it.
 */
export class Inserts {
  #waiting: Group[] = []

  constructor(
    private readonly database: Database,
    private readonly collection: string,
  ) {}

  /**
   * Inserts documents of one conversation, of which no other insert may be under way.
   *
   * @throws what the driver says, if the outcome is not known
   */
  insert(docs: readonly Doc[]): Promise<Inserted> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ docs, resolve, reject })
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flush())
    })
  }

  #flush(): void {
    let together: Group[] = []
    let count = 0
    for (const group of this.#waiting) {
      if (together.length > 0 && count + group.docs.length > MOST_TOGETHER) {
        void this.#send(together)
        together = []
        count = 0
      }
      together.push(group)
      count += group.docs.length
    }
    this.#waiting = []
    void this.#send(together)
  }

  async #send(groups: readonly Group[]): Promise<void> {
    try {
      const documents = groups.flatMap(({ docs }) => docs)
      const { writeErrors } = await this.database.writeOnce({ insert: this.collection, documents })
      this.#settle(groups, writeErrors?.[0])
    } catch (error) {
      for (const { reject } of groups) reject(error)
    }
  }

  #settle(groups: readonly Group[], error: WriteError | undefined): void {
    let start = 0
    for (const group of groups) {
      const end = start + group.docs.length
      if (!error || error.index >= end) group.resolve({ count: group.docs.length })
      else if (error.index >= start) group.resolve({ count: error.index - start, error })
      // Was not tried, because of another conversation; alone it waits for no third one.
      else void this.#send([group])
      start = end
    }
  }
}
