import { resolve } from 'node:path'
import { isInteger, KithwireError, type Runtime, systemRuntime } from '@kithwire/protocol'
import type { CountRange, Entry, FriendshipRows, Head, Mark, Outcome, Range, Send, Store, Stored } from '../store.js'
import { AdaptivePort, STALL_MS } from './sqlite-adaptive.js'
import { type Port, sameThread } from './sqlite-calls.js'
import { Database } from './sqlite-database.js'
import { findDriver } from './sqlite-driver.js'
import { fromList } from './sqlite-entry.js'
import { SqliteThread } from './sqlite-thread.js'

export interface SqliteOptions {
  /**
   * Whether the database has a worker thread of its own. Without one there is no way to it and back, which is 10 to 40 %
   * of the CPU, and the event loop waits for every commit: a fraction of a millisecond on a fast disk, 10 to 50 ms on a
   * slow one, and up to `busyTimeoutMs` while another process writes. `'auto'` begins without, and starts the thread when
   * commits are slow (most take longer than 2 ms, and 0.02 for each entry) or one call takes 250 ms, which is also the
   * longest that it waits for another process before.
   *
   * @default 'auto'
   */
  thread?: boolean | 'auto'
  /** How long a call waits for the lock of another process that writes to the file, 0 to 60,000 ms. @default 5000 */
  busyTimeoutMs?: number
  /** Clocks and, where the database has no thread of its own, randomness. @default systemRuntime */
  runtime?: Runtime
}

/** The log in one SQLite file. Several processes of one host may share the file; never over a network file system. */
export interface SqliteStore extends Store {
  readonly durable: true
  readonly friendships: FriendshipRows
  /**
   * Resolves when the file is open, and rejects with what is wrong with it. Nobody has to call it: every other call
   * opens the file too.
   */
  ready(): Promise<void>
}

/**
 * Opens, or makes, the log in `file`, with its directory. Returns at once; the file is opened on the way.
 *
 * @throws KithwireError `bad_option` for wrong options, `missing_dependency` if this Node has no SQLite that is new
 * enough and `@photostructure/sqlite` is not installed.
 */
export function sqlite(file: string, options: SqliteOptions = {}): SqliteStore {
  const { thread = 'auto', busyTimeoutMs = 5_000, runtime = systemRuntime } = options
  checkFile(file)
  if (typeof thread !== 'boolean' && thread !== 'auto')
    throw new KithwireError('bad_option', `\`thread\`: expected true, false or 'auto', came ${String(thread)}.`)
  if (!isInteger(busyTimeoutMs, 0, 60_000))
    throw new KithwireError('bad_option', `\`busyTimeoutMs\`: expected 0 to 60000, came ${String(busyTimeoutMs)}.`)
  const path = resolve(file)
  const driver = findDriver()
  const ownThread = () => new SqliteThread({ file: path, busyTimeoutMs }, runtime)
  if (thread === true) return new PortStore(ownThread(), runtime)
  const opened = { file: path, busyTimeoutMs, driver, runtime }
  if (thread === false) return new PortStore(sameThread(new Database(opened)), runtime)
  return new PortStore(new AdaptivePort(new Database({ ...opened, patienceMs: STALL_MS }), runtime, ownThread), runtime)
}

function checkFile(file: unknown): void {
  if (file === ':memory:')
    throw new KithwireError(
      'bad_option',
      "A database in memory keeps no promise: use `new MemoryStore()` instead of ':memory:'.",
    )
  if (typeof file !== 'string' || file === '' || file.startsWith('file:') || file.includes('\u0000'))
    throw new KithwireError(
      'bad_option',
      `Expected the path of a file, such as 'data/chat.db', came ${JSON.stringify(file)}.`,
    )
}

class PortStore implements SqliteStore {
  readonly durable = true
  readonly parallel = 1
  readonly friendships: FriendshipRows
  readonly #port: Port
  readonly #runtime: Runtime
  #closing: Promise<void> | undefined

  constructor(port: Port, runtime: Runtime) {
    this.#port = port
    this.#runtime = runtime
    this.friendships = {
      get: (id) => this.#call('friendship', id),
      between: (one, other) => this.#call('friendshipBetween', one, other),
      of: (user) => this.#call('friendshipsOf', user),
      put: (row, expected) => this.#call('putFriendship', row, expected),
    }
  }

  get gather(): Store['gather'] {
    return this.#port.gather
  }

  ready(): Promise<void> {
    return this.#call('open')
  }

  append(sends: readonly Send[]): Promise<Outcome[]> {
    if (this.#closing) return this.#closed()
    return this.#port.append(sends, this.#runtime.now())
  }

  async read(conversation: string, range: Range): Promise<Entry[]> {
    const list = await this.#call('list', conversation, range)
    return list === undefined ? this.#call('read', conversation, range) : fromList(conversation, list)
  }

  find(conversation: string, from: string, cids: readonly string[]): Promise<(Stored | undefined)[]> {
    return this.#call('find', conversation, from, cids)
  }

  heads(conversations: readonly string[]): Promise<Head[]> {
    return this.#call('heads', conversations)
  }

  tail(conversation: string, seq: number): Promise<string> {
    return this.#call('tail', conversation, seq)
  }

  count(ranges: readonly CountRange[]): Promise<number[]> {
    return this.#call('count', ranges)
  }

  marks(conversations: readonly string[]): Promise<Mark[]> {
    return this.#call('marks', conversations)
  }

  mark(marks: readonly Mark[]): Promise<Mark[]> {
    return this.#call('mark', marks)
  }

  async retain(conversation: string, first: number): Promise<void> {
    // In steps, so that what people send meanwhile does not wait for the whole of it.
    while (!(await this.#call('retain', conversation, first)));
  }

  epoch(): Promise<string> {
    return this.#call('epoch')
  }

  close(): Promise<void> {
    this.#closing ??= this.#port.close()
    return this.#closing
  }

  #call: Port['call'] = (name, ...args) => {
    if (this.#closing) return this.#closed()
    return this.#port.call(name, ...args)
  }

  #closed(): Promise<never> {
    return Promise.reject(new KithwireError('closed', 'The store was closed.'))
  }
}
