import { KithwireError, type Runtime } from '@kithwire/protocol'
import type { Connection, Doc, Reply } from './mongo-connection.js'
import { DUPLICATE_KEY, isTransient, NoAnswer } from './mongo-errors.js'
import { Terms } from './mongo-terms.js'

/** How long a call waits for a connection that the app has not opened yet; as long as mongoose's own buffers do. */
const OPEN_MS = 10_000

/**
 * How long a command may take: the driver itself waits for a primary for 30 s, and for ever for a server that takes a
 * command and is then cut off.
 */
const COMMAND_MS = 10_000

/** How long a call that failed is tried again: a new primary is elected within 12 s. */
const RETRY_MS = 15_000

/** Waits between two tries, ms, doubled each time. */
const FIRST_WAIT_MS = 20
const LONGEST_WAIT_MS = 500

/**
 * Commands on the app's connection. They are sent as they are, not through models: no cast, hook or filter of the
 * app's schema stands between, and all versions of the driver answer to them alike.
 */
export class Database {
  /** Set at the start. */
  isReplicaSet = true
  /** Where barriers are written. */
  barrierCollection = ''
  readonly #terms = new Terms()
  #barrier: Promise<void> | undefined

  constructor(
    readonly connection: Connection,
    readonly runtime: Runtime,
  ) {}

  /** Raised with each new primary. */
  get term(): number {
    return this.#terms.current
  }

  /** What makes a write durable. */
  get writeConcern(): Doc {
    return { w: this.isReplicaSet ? 'majority' : 1, j: true, wtimeout: 5_000 }
  }

  /** Sends a command once. Rejects with what the driver says, or if it takes too long. */
  async command(command: Doc): Promise<Reply> {
    return this.#inTime(await this.#send(command))
  }

  /** A write that may take as long as it takes, such as the making of an index. */
  async long(command: Doc): Promise<void> {
    const { w } = this.writeConcern
    await (await this.#send({ ...command, writeConcern: { w } })).reply
  }

  /** Documents as the primary has them now; a crash may take them back. */
  async peek(command: Doc): Promise<readonly Doc[]> {
    const { cursor } = await this.retry(() => this.command(command))
    return cursor?.firstBatch ?? []
  }

  /** Documents that no crash takes back. Tries again for a while if the server is not there. */
  async read(command: Doc): Promise<readonly Doc[]> {
    const { cursor } = await this.retry(async () => {
      for (;;) {
        const term = await this.#settle()
        const readConcern = { level: this.isReplicaSet ? 'majority' : 'local' }
        const reply = await this.command({ ...command, readConcern })
        if (term === this.#terms.current) return reply
      }
    })
    return cursor?.firstBatch ?? []
  }

  /** A durable write that may be made twice. Tries again for a while if the server is not there. */
  async write(command: Doc): Promise<Reply> {
    return this.retry(() => this.writeOnce(command))
  }

  /** A durable write. If it rejects, its outcome is not known. */
  async writeOnce(command: Doc): Promise<Reply> {
    return this.command({ ...command, writeConcern: this.writeConcern })
  }

  /** Resolves when everything that the server had when this was called is durable. */
  async barrier(): Promise<void> {
    const term = this.#terms.current
    const update = { q: { _id: 'barrier' }, u: { $inc: { count: 1 } }, upsert: true }
    while (isTaken(await this.writeOnce({ update: this.barrierCollection, updates: [update] })));
    this.#terms.settle(term)
  }

  /** Waits a random time, up to `ms`. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.runtime.setTimer(resolve, this.runtime.random() * ms))
  }

  /** Calls again what fails because the server is not there, as long as that may be an election. */
  async retry<T>(call: () => Promise<T>): Promise<T> {
    const start = this.runtime.monotonic()
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
      try {
        return await call()
      } catch (error) {
        if (!isTransient(error) || this.runtime.monotonic() - start > RETRY_MS) throw error
        await this.wait(wait)
      }
    }
  }

  close(): void {
    this.#terms.stop()
  }

  /** The term, settled. */
  async #settle(): Promise<number> {
    while (this.isReplicaSet && !this.#terms.isSettled) {
      this.#barrier ??= this.barrier().finally(() => {
        this.#barrier = undefined
      })
      await this.#barrier
    }
    return this.#terms.current
  }

  async #open() {
    const { connection, runtime } = this
    if (!connection.db || connection.readyState === 2) {
      await new Promise<void>((resolve, reject) => {
        const done = () => {
          runtime.clearTimer(timer)
          connection.removeListener('connected', done)
          resolve()
        }
        const timer = runtime.setTimer(() => {
          connection.removeListener('connected', done)
          const hint = 'has not been opened; call mongoose.connect(uri), or createConnection(uri), before'
          reject(new KithwireError('store_unavailable', `The mongoose connection ${hint}.`))
        }, OPEN_MS)
        connection.once('connected', done)
      })
    }
    this.#terms.watch(connection.getClient())
    return connection.db!
  }

  /** Over anything that the app's connection has as defaults. In an object, or whoever waits for it waits for the reply. */
  async #send(command: Doc): Promise<{ reply: Promise<Reply> }> {
    const db = await this.#open()
    return { reply: db.command(command, { readPreference: 'primary', promoteValues: true, promoteLongs: true }) }
  }

  #inTime<T>({ reply }: { reply: Promise<T> }): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new NoAnswer(`MongoDB has not answered within ${COMMAND_MS} ms.`))
      const timer = this.runtime.setTimer(late, COMMAND_MS)
      const settle = <A extends unknown[]>(how: (...args: A) => void) => {
        return (...args: A) => {
          this.runtime.clearTimer(timer)
          how(...args)
        }
      }
      reply.then(settle(resolve), settle(reject))
    })
  }
}

/**
 * True if statements failed because a key is taken: somebody else was faster.
 *
 * @throws the error of a statement that failed for another reason
 */
export function isTaken({ writeErrors = [] }: Reply): boolean {
  const other = writeErrors.find(({ code }) => code !== DUPLICATE_KEY)
  if (other) throw Object.assign(new Error(other.errmsg), other)
  return writeErrors.length > 0
}
