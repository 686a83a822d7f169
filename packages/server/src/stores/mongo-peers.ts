import { LRUCache } from 'lru-cache'
import type { Database } from './mongo-database.js'
import type { Layout } from './mongo-layout.js'

const REMEMBERED = 50_000

/**
 * The two users of conversations that are friendships of the app's collection, for the field `to`: the app's own code
 * may look for it. A pair never changes, so it is remembered.
 */
export class Peers {
  readonly #pairs = new LRUCache<string, readonly [string, string] | false>({ max: REMEMBERED })

  constructor(
    private readonly database: Database,
    private readonly layout: Layout,
  ) {}

  /** Learns the pairs of these conversations. */
  async load(conversations: readonly string[]): Promise<void> {
    const { ids, options } = this.layout
    const { friends: names, collections } = options
    if (collections.friends === false) return
    const unknown = conversations.filter((conversation) => !this.#pairs.has(conversation))
    if (unknown.length === 0) return
    const docs = await this.database.peek({
      find: collections.friends,
      filter: { _id: { $in: unknown.map((conversation) => ids.to('conversation', conversation)) } },
      projection: { [names.user1]: 1, [names.user2]: 1 },
      batchSize: unknown.length,
      singleBatch: true,
    })
    for (const conversation of unknown) this.#pairs.set(conversation, false)
    for (const doc of docs) this.#pairs.set(ids.from(doc._id), [ids.from(doc[names.user1]), ids.from(doc[names.user2])])
  }

  /** The other one of a pair; undefined in any other conversation. */
  other(conversation: string, user: string): string | undefined {
    const pair = this.#pairs.get(conversation)
    if (!pair) return undefined
    return pair[0] === user ? pair[1] : pair[0]
  }
}
