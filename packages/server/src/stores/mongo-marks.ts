import type { Mark } from '../store.js'
import type { Doc } from './mongo-connection.js'
import { type Database, isTaken } from './mongo-database.js'
import type { Layout } from './mongo-layout.js'

/** `seen` holds with the `read` that it was set at: once that has grown, what was set back is void. */
function toMark({ conversation, user, delivered, read, seen, seenAt }: Doc): Mark {
  const mark = {
    conversation: String(conversation),
    user: String(user),
    delivered: Number(delivered),
    read: Number(read),
  }
  return typeof seen === 'number' && seenAt === read && seen < mark.read ? { ...mark, seen } : mark
}

const keyOf = ({ conversation, user }: { conversation: string; user: string }) => JSON.stringify([conversation, user])

/** Delivered and read marks, which only grow. */
export class MongoMarks {
  constructor(
    private readonly database: Database,
    private readonly layout: Layout,
  ) {}

  async of(conversations: readonly string[]): Promise<Mark[]> {
    const marks: Mark[] = []
    const names = [...new Set(conversations)]
    // Groups may be large, and one answer holds 16 MB.
    for (let start = 0; start < names.length; start += 200)
      marks.push(...(await this.#find({ conversation: { $in: names.slice(start, start + 200) } })))
    return marks
  }

  async merge(marks: readonly Mark[]): Promise<Mark[]> {
    if (marks.length === 0) return []
    const known = await this.#known(marks)
    // A mark that is no news, as every reconnection brings, costs no write and so no sync.
    const news = marks.filter((mark) => {
      const old = known.get(keyOf(mark))
      return !old || mark.read > old.read || Math.max(mark.delivered, mark.read) > old.delivered
    })
    const back = marks.filter((mark) => mark.seen !== undefined)
    if (news.length > 0) await this.#raise(news)
    if (news.length === 0 && back.length === 0) return marks.map((mark) => known.get(keyOf(mark))!)
    if (back.length > 0) await this.#setBack(back)
    const merged = await this.#known(marks)
    return marks.map((mark) => merged.get(keyOf(mark))!)
  }

  async #raise(news: readonly Mark[]): Promise<void> {
    const updates = news.map(({ conversation, user, delivered, read }) => ({
      q: { conversation, user },
      // What is read is delivered.
      u: { $max: { delivered: Math.max(delivered, read), read } },
      upsert: true,
    }))
    const update = { update: this.layout.options.collections.marks, updates, ordered: false }
    while (isTaken(await this.database.write(update)));
  }

  async #setBack(marks: readonly Mark[]): Promise<void> {
    const known = await this.#known(marks)
    const updates = marks.map((mark) => {
      const { conversation, user, seen } = mark
      return { q: { conversation, user }, u: { $set: { seen, seenAt: known.get(keyOf(mark))!.read } } }
    })
    await this.database.write({ update: this.layout.options.collections.marks, updates })
  }

  async #known(marks: readonly Mark[]): Promise<Map<string, Mark>> {
    const pairs = marks.map(({ conversation, user }) => ({ conversation, user }))
    const found = await this.#find(pairs.length === 1 ? pairs[0]! : { $or: pairs })
    return new Map(found.map((mark) => [keyOf(mark), mark]))
  }

  async #find(filter: Doc): Promise<Mark[]> {
    const find = { find: this.layout.options.collections.marks, filter, batchSize: 100_000, singleBatch: true }
    return (await this.database.read(find)).map(toMark)
  }
}
