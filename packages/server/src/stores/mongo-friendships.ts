import type { FriendshipRow, FriendshipRows, FriendshipState } from '../store.js'
import type { Doc } from './mongo-connection.js'
import { type Database, isTaken } from './mongo-database.js'
import { Ids } from './mongo-ids.js'
import type { Layout } from './mongo-layout.js'

/** What a friendship of before Kithwire has for a version. */
const FIRST_VERSION = 1

/**
 * Friendships in the app's own collection. A document of before Kithwire, which names two users and nothing else, is a
 * friendship that both have accepted; the first change writes down what it lacks.
 */
export class MongoFriendships implements FriendshipRows {
  constructor(
    private readonly database: Database,
    private readonly layout: Layout,
    private readonly collection: string,
  ) {}

  newId(): string {
    return this.layout.ids.make()
  }

  async get(id: string): Promise<FriendshipRow | undefined> {
    const [doc] = await this.#find({ _id: this.layout.ids.to('conversation', id) }, 1)
    return doc && this.#toRow(doc)
  }

  async between(one: string, other: string): Promise<FriendshipRow | undefined> {
    const { user1, user2 } = this.layout.options.friends
    const [a, b] = [this.#user(one), this.#user(other)]
    // Old data may have both orders at once; then the older one is the friendship.
    const found = await this.#find(
      {
        $or: [
          { [user1]: a, [user2]: b },
          { [user1]: b, [user2]: a },
        ],
      },
      2,
    )
    const ids = found.map((doc) => this.layout.ids.from(doc._id))
    const doc = ids.length === 2 && ids[1]! < ids[0]! ? found[1] : found[0]
    return doc && this.#toRow(doc)
  }

  async of(user: string): Promise<FriendshipRow[]> {
    const { user1, user2 } = this.layout.options.friends
    const id = this.#user(user)
    const found = await this.#find({ $or: [{ [user1]: id }, { [user2]: id }] }, 100_000)
    return found.map((doc) => this.#toRow(doc))
  }

  async put(row: FriendshipRow, expected: number | undefined): Promise<boolean> {
    return expected === undefined ? this.#insert(row) : this.#update(row, expected)
  }

  async #insert(row: FriendshipRow): Promise<boolean> {
    const { friends: names } = this.layout.options
    // The index on pairs does not know the documents of before Kithwire.
    if (await this.between(row.user1, row.user2)) return false
    const doc = {
      _id: this.layout.ids.to('conversation', row.id),
      [names.user1]: this.#user(row.user1),
      [names.user2]: this.#user(row.user2),
      [names.createdAt]: new Date(row.createdAt),
      [names.pair]: pairOf(row),
      ...this.#changes(row),
    }
    const tries = { count: 0 }
    const reply = await this.database.retry(() => {
      tries.count++
      return this.database.writeOnce({ insert: this.collection, documents: [doc] })
    })
    if (!isTaken(reply)) return true
    // After a try whose answer was lost it may be our own that is there.
    return tries.count > 1 && this.#isOurs(row)
  }

  async #update(row: FriendshipRow, expected: number): Promise<boolean> {
    const { friends: names } = this.layout.options
    const users = [this.#user(row.user1), this.#user(row.user2)]
    const q = {
      _id: this.layout.ids.to('conversation', row.id),
      [names.version]: expected === FIRST_VERSION ? { $in: [FIRST_VERSION, null] } : expected,
      $or: [
        { [names.user1]: users[0], [names.user2]: users[1] },
        { [names.user1]: users[1], [names.user2]: users[0] },
      ],
    }
    const set = {
      [names.user1]: users[0],
      [names.user2]: users[1],
      [names.createdAt]: new Date(row.createdAt),
      ...this.#changes(row),
    }
    let tries = 0
    const write = (u: Doc) =>
      this.database.retry(() => {
        tries++
        return this.database.writeOnce({ update: this.collection, updates: [{ q, u: { $set: u } }] })
      })
    let reply = await write({ ...set, [names.pair]: pairOf(row) })
    // Old data with both orders of a pair: the other document has the key.
    if (isTaken(reply)) reply = await write(set)
    if (Number(reply.n) === 1 && !isTaken(reply)) return true
    return tries > 1 && this.#isOurs(row)
  }

  async #isOurs(row: FriendshipRow): Promise<boolean> {
    const there = await this.get(row.id)
    return there !== undefined && JSON.stringify(sorted(there)) === JSON.stringify(sorted(row))
  }

  #changes(row: FriendshipRow): Doc {
    const { friends: names } = this.layout.options
    return {
      [names.state]: row.state,
      [names.requester]: this.#user(row.requester),
      [names.blockedBy]: row.blockedBy.map((user) => this.#user(user)),
      [names.changedAt]: new Date(row.changedAt),
      [names.version]: row.version,
    }
  }

  #find(filter: Doc, limit: number): Promise<readonly Doc[]> {
    return this.database.read({ find: this.collection, filter, limit, batchSize: limit, singleBatch: true })
  }

  #user(id: string): unknown {
    return this.layout.ids.to('user', id)
  }

  #toRow(doc: Doc): FriendshipRow {
    const { ids, options } = this.layout
    const { friends: names } = options
    const time = (value: unknown) => (value instanceof Date ? value.getTime() : Number(value ?? Ids.time(doc._id)))
    const user1 = ids.from(doc[names.user1])
    const blockedBy = doc[names.blockedBy]
    return {
      id: ids.from(doc._id),
      user1,
      user2: ids.from(doc[names.user2]),
      state: (doc[names.state] ?? 'accepted') as FriendshipState,
      requester: doc[names.requester] === undefined ? user1 : ids.from(doc[names.requester]),
      blockedBy: Array.isArray(blockedBy) ? blockedBy.map((user) => ids.from(user)) : [],
      createdAt: time(doc[names.createdAt]),
      changedAt: time(doc[names.changedAt]),
      version: Number(doc[names.version] ?? FIRST_VERSION),
    }
  }
}

const pairOf = ({ user1, user2 }: FriendshipRow) => JSON.stringify([user1, user2].sort())

const sorted = (row: FriendshipRow) => Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1))
