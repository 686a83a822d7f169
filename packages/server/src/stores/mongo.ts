/**
 * The log in MongoDB, on the mongoose connection that the app has already.
 *
 * @packageDocumentation
 */
import { KithwireError } from '@kithwire/protocol'
import type { CountRange, Entry, FriendshipRows, Head, Mark, Outcome, Range, Send, Store, Stored } from '../store.js'
import { Appends } from './mongo-append.js'
import { Database } from './mongo-database.js'
import { Entries } from './mongo-entry.js'
import { toKithwireError } from './mongo-errors.js'
import { MongoFriendships } from './mongo-friendships.js'
import { Layout, type MongoModels } from './mongo-layout.js'
import { MongoLog } from './mongo-log.js'
import { MongoMarks } from './mongo-marks.js'
import { type MongoOptions, resolveMongoOptions } from './mongo-options.js'
import { type Started, start } from './mongo-start.js'

export type { MongooseConnection } from './mongo-connection.js'
export type { MongoModels } from './mongo-layout.js'
export type {
  MongoCollections,
  MongoFriendFields,
  MongoIdType,
  MongoIdTypes,
  MongoMessageFields,
  MongoOptions,
} from './mongo-options.js'

/** The log in MongoDB. */
export interface MongoStore extends Store {
  readonly durable: true
  /** Undefined with `collections: { friends: false }`. */
  readonly friendships?: FriendshipRows
  /** The mongoose models of the two collections that are the app's, to read with. */
  readonly models: MongoModels
  /**
   * Resolves when the server and the indexes are what they must be, and rejects with what is wrong. Nobody has to call
   * it: every other call does it first.
   */
  ready(): Promise<void>
}

/**
 * The log in MongoDB, on the app's own connection, in the collections and fields of the article: a database that is
 * there goes on working. Returns at once. `close()` leaves the connection open, which is the app's.
 *
 * @throws KithwireError `bad_option`
 */
export function mongo(options: MongoOptions): MongoStore {
  return new ConnectionStore(options)
}

class ConnectionStore implements MongoStore {
  readonly durable = true
  /** Appends under way at once; the driver has at most 5 (mongoose 5) to 100 connections. */
  readonly parallel = 4
  readonly friendships?: FriendshipRows
  readonly models: MongoModels
  readonly #database: Database
  readonly #layout: Layout
  readonly #log: MongoLog
  readonly #marks: MongoMarks
  readonly #appends: Appends
  readonly #underWay = new Set<Promise<unknown>>()
  #started: Promise<Started> | undefined
  #secret: Uint8Array = Buffer.alloc(0)
  #closing: Promise<void> | undefined

  constructor(given: MongoOptions) {
    const options = resolveMongoOptions(given)
    this.#layout = new Layout(options)
    this.#database = new Database(options.connection, options.runtime)
    this.models = this.#layout.models
    const entries = new Entries(this.#layout)
    this.#log = new MongoLog(this.#database, this.#layout, entries)
    this.#marks = new MongoMarks(this.#database, this.#layout)
    this.#appends = new Appends(this.#database, this.#layout, entries, this.#log, () => this.#secret)
    const { friends } = options.collections
    if (friends === false) return
    const rows = new MongoFriendships(this.#database, this.#layout, friends)
    this.friendships = {
      newId: () => rows.newId(),
      get: (id) => this.#call(() => rows.get(id)),
      between: (one, other) => this.#call(() => rows.between(one, other)),
      of: (user) => this.#call(() => rows.of(user)),
      put: (row, expected) => this.#call(() => rows.put(row, expected)),
    }
  }

  ready(): Promise<void> {
    return this.#call(async () => {})
  }

  append(sends: readonly Send[]): Promise<Outcome[]> {
    return this.#call(() => this.#appends.append(sends))
  }

  read(conversation: string, range: Range): Promise<Entry[]> {
    return this.#call(() => this.#log.read(conversation, range))
  }

  find(conversation: string, from: string, cids: readonly string[]): Promise<(Stored | undefined)[]> {
    return this.#call(() => this.#log.find(conversation, from, cids))
  }

  heads(conversations: readonly string[]): Promise<Head[]> {
    return this.#call(() => this.#log.heads(conversations))
  }

  tail(conversation: string, seq: number): Promise<string> {
    return this.#call(() => this.#log.tail(conversation, seq))
  }

  count(ranges: readonly CountRange[]): Promise<number[]> {
    return this.#call(() => this.#log.count(ranges))
  }

  marks(conversations: readonly string[]): Promise<Mark[]> {
    return this.#call(() => this.#marks.of(conversations))
  }

  mark(marks: readonly Mark[]): Promise<Mark[]> {
    return this.#call(() => this.#marks.merge(marks))
  }

  retain(conversation: string, first: number): Promise<void> {
    return this.#call(() => this.#log.retain(conversation, first, this.#secret))
  }

  async epoch(): Promise<string> {
    const { store } = this.#layout.options.collections
    const query = { find: store, filter: { _id: 'store' }, limit: 1, singleBatch: true }
    const [doc] = await this.#call(() => this.#database.read(query))
    if (typeof doc?.epoch !== 'string')
      throw new KithwireError('bad_state', `The document 'store' in ${store} has gone: restore it, or start anew.`)
    return doc.epoch
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => this.#database.close())
    return this.#closing
  }

  async #call<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new KithwireError('closed', 'The store was closed.')
    const call = this.#start().then(run)
    this.#underWay.add(call)
    try {
      return await call
    } catch (error) {
      throw toKithwireError(error)
    } finally {
      this.#underWay.delete(call)
    }
  }

  /** A start that fails is tried again with the next call: somebody may have done what its error says. */
  #start(): Promise<Started> {
    this.#started ??= start(this.#database, this.#layout).then(
      (started) => {
        this.#secret = started.secret
        return started
      },
      (error) => {
        this.#started = undefined
        throw error
      },
    )
    return this.#started
  }
}
