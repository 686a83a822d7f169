import type { Doc, Reply, WriteError } from './mongo-connection.js'
import type { Database } from './mongo-database.js'

interface Single {
  doc: Doc
  resolve(error: WriteError | undefined): void
  reject(error: unknown): void
}

/** Documents in one command. */
const MOST_TOGETHER = 128

/**
 * Durable inserts into the collection of the entries. Several entries of one conversation go in order, so that a
 * failure leaves a prefix of them. Single entries of different conversations, which do not need each other, share a
 * command without order; never may two of one conversation, or the second could be stored without the first.
 */
export class Inserts {
  #singles: Single[] = []

  constructor(
    private readonly database: Database,
    private readonly collection: string,
  ) {}

  /**
   * Inserts documents of one conversation, of which no other insert is under way.
   *
   * @returns why the first that was not stored was not; those before it are durable, those behind it were not tried
   * @throws what the driver says, if the outcome is not known
   */
  async insert(docs: readonly Doc[]): Promise<WriteError | undefined> {
    if (docs.length === 1) return this.#single(docs[0]!)
    const { writeErrors } = await this.#send(docs, true)
    return writeErrors?.[0]
  }

  #single(doc: Doc): Promise<WriteError | undefined> {
    return new Promise((resolve, reject) => {
      this.#singles.push({ doc, resolve, reject })
      // At the end of the turn, so that what is appended together is sent together.
      if (this.#singles.length === 1) queueMicrotask(() => this.#flush())
    })
  }

  #flush(): void {
    const singles = this.#singles
    this.#singles = []
    for (let start = 0; start < singles.length; start += MOST_TOGETHER) {
      const part = singles.slice(start, start + MOST_TOGETHER)
      this.#send(
        part.map(({ doc }) => doc),
        false,
      ).then(
        ({ writeErrors = [] }) => {
          const errors = new Map(writeErrors.map((error) => [error.index, error]))
          for (const [index, { resolve }] of part.entries()) resolve(errors.get(index))
        },
        (error) => {
          for (const { reject } of part) reject(error)
        },
      )
    }
  }

  #send(documents: readonly Doc[], ordered: boolean): Promise<Reply> {
    return this.database.writeOnce({ insert: this.collection, documents, ordered })
  }
}
