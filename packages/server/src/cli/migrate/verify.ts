import { isId } from '@kithwire/protocol'
import { indexesOf } from './indexes.js'
import { numbered, type Rows, timeOf, unnumbered } from './rows.js'

/** What a look at all numbered rows has found. */
export interface Verification {
  rows: number
  conversations: number
  /** What must not be, in words; the first few of each kind. */
  problems: string[]
  /** Old rows that stand behind a younger old row: they came after their conversation had been numbered. */
  late: number
}

const MOST_TOLD = 5

/**
 * Reads every numbered row in the order of the index and checks that each conversation is 1, 2, 3 … with a cid and a
 * time in each row.
 *
 * @param seen told how many rows were read, now and then
 */
export async function verify(rows: Rows, seen: (amount: number) => void): Promise<Verification> {
  const { collection, names } = rows
  const result: Verification = { rows: 0, conversations: 0, problems: [], late: 0 }
  const problems = new Map<string, string[]>()
  const note = (kind: string, where: string) => problems.set(kind, [...(problems.get(kind) ?? []), where])
  const cursor = collection.aggregate(
    [
      { $match: numbered(rows) },
      { $sort: { [names.conversation]: 1, [names.seq]: 1 } },
      {
        $project: {
          friend: `$${names.conversation}`,
          seq: `$${names.seq}`,
          cid: `$${names.cid}`,
          time: { $type: `$${names.createdAt}` },
          at: timeOf(rows),
        },
      },
    ],
    { hint: indexesOf(rows)[0]!.keys, batchSize: 5_000, readConcern: { level: 'majority' } },
  )
  let conversation: string | undefined
  let last = 0
  let youngest = Number.NEGATIVE_INFINITY
  for await (const { _id, friend, seq, cid, time, at } of cursor) {
    const key = String(friend)
    if (key !== conversation) {
      result.conversations++
      ;[conversation, last, youngest] = [key, 0, Number.NEGATIVE_INFINITY]
    }
    if (seq !== last + 1) note('Gaps', `${key}: ${seq} comes after ${last}`)
    last = Number(seq)
    if (!isId(cid)) note('Rows without a usable cid', `${key}: ${seq}`)
    if (time === 'missing' || time === 'null') note('Rows without a time', `${key}: ${seq}`)
    // Only rows that a migration has numbered: the clocks of several servers may differ by more than two messages.
    if (cid === String(_id)) {
      if (Number(at) < youngest) result.late++
      else youngest = Number(at)
    }
    result.rows++
    if (result.rows % 1_000 === 0) seen(1_000)
  }
  seen(result.rows % 1_000)
  const left = await collection.countDocuments(unnumbered(rows))
  if (left > 0) result.problems.push(`${left} rows have no number; run \`kithwire migrate\` again.`)
  for (const [kind, places] of problems)
    result.problems.push(`${kind}: ${places.length}, such as ${places.slice(0, MOST_TOLD).join('; ')}.`)
  return result
}
