import { type Client, type Document, topologyOf } from '../mongo-driver.js'
import { isTimed, numbered, type Rows, timeOf, unnumbered } from './rows.js'

/** What is there before anything is changed. */
export interface Survey {
  topology: 'replica set' | 'standalone'
  /** Rows in the collection. */
  rows: number
  numbered: number
  /** Rows that get a number. */
  todo: number
  /** Conversations of which some row gets a number. */
  conversations: number
  /** Rows of `todo` whose time is taken from their `_id`. */
  untimed: number
  /** Conversations in which a row without a number is older than one with a number, and will stand behind it. */
  overtaken: number
  /** Rows that have no number and cannot get one. */
  unusable: number
}

/** Reads the collection once and changes nothing. */
export async function survey(client: Client, rows: Rows): Promise<Survey> {
  const { collection, names } = rows
  const old = { $lte: [`$${names.seq}`, null] }
  const countIf = (condition: unknown) => ({ $sum: { $cond: [condition, 1, 0] } })
  const [sums = {}] = await collection
    .aggregate(
      [
        { $match: { $or: [numbered(rows), unnumbered(rows)] } },
        {
          $group: {
            _id: `$${names.conversation}`,
            todo: countIf(old),
            untimed: countIf({ $and: [old, { $not: [isTimed(rows)] }] }),
            // $min and $max leave out what is null.
            oldest: { $min: { $cond: [old, timeOf(rows), null] } },
            newest: { $max: { $cond: [old, null, timeOf(rows)] } },
          },
        },
        {
          $group: {
            _id: null,
            todo: { $sum: '$todo' },
            untimed: { $sum: '$untimed' },
            conversations: countIf({ $gt: ['$todo', 0] }),
            overtaken: countIf({ $and: ['$oldest', '$newest', { $lt: ['$oldest', '$newest'] }] }),
          },
        },
      ] satisfies Document[],
      { allowDiskUse: true },
    )
    .toArray()
  const number = (name: string) => Number(sums[name] ?? 0)
  const all = await collection.countDocuments({})
  const without = await collection.countDocuments({ [names.seq]: null })
  return {
    topology: await topologyOf(client.db()),
    rows: all,
    numbered: all - without,
    todo: number('todo'),
    conversations: number('conversations'),
    untimed: number('untimed'),
    overtaken: number('overtaken'),
    unusable: Math.max(0, without - number('todo')),
  }
}
