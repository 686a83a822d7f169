import type { Collection, Document } from '../mongo-driver.js'
import { numbered, type Rows } from './rows.js'

/** Conversations that are looked at together. */
const TOGETHER = 500

/** As the store writes it: hex digits for an ObjectId. */
const idOf = (value: unknown): string => String(value ?? '')

/**
 * Lets what is old count as read: without a mark, everything would be unread for everybody who comes with a new client.
 * Only where nobody has a mark yet, since each device of Kithwire's leaves one; so it can be repeated at any time.
 *
 * @param marks the collection of the store's marks
 * @returns how many conversations begin as read
 */
export async function startMarks({ collection, names }: Rows, marks: Collection): Promise<number> {
  const conversations = collection.aggregate(
    [
      { $match: numbered({ collection, names }) },
      {
        $group: {
          _id: `$${names.conversation}`,
          head: { $max: `$${names.seq}` },
          from: { $addToSet: `$${names.from}` },
          to: { $addToSet: `$${names.to}` },
        },
      },
    ],
    { allowDiskUse: true, batchSize: TOGETHER, readConcern: { level: 'majority' } },
  )
  let sum = 0
  let part: Document[] = []
  const flush = async () => {
    sum += await mark(part, marks)
    part = []
  }
  for await (const conversation of conversations) if (part.push(conversation) >= TOGETHER) await flush()
  await flush()
  return sum
}

async function mark(conversations: readonly Document[], marks: Collection): Promise<number> {
  const ids = conversations.map(({ _id }) => idOf(_id))
  const marked = new Set<unknown>()
  for await (const { conversation } of marks.find({ conversation: { $in: ids } })) marked.add(conversation)
  const fresh = conversations.filter(({ _id }) => !marked.has(idOf(_id)))
  const operations = fresh.flatMap(({ _id, head, from, to }) => {
    const users = new Set([...(from as unknown[]), ...(to as unknown[])].map(idOf).filter((user) => user !== ''))
    return [...users].map((user) => ({
      updateOne: {
        filter: { conversation: idOf(_id), user },
        update: { $setOnInsert: { delivered: head, read: head } },
        upsert: true,
      },
    }))
  })
  if (operations.length > 0) await marks.bulkWrite(operations, { ordered: false, writeConcern: { w: 'majority' } })
  return fresh.length
}
