import { isId } from '@kithwire/protocol'
import { withoutPlace } from '../../stores/mongo-old-rows.js'
import type { Collection, Document } from '../mongo-driver.js'

/** The names of the fields that a migration reads or writes, as the article has them. */
export const ARTICLE = Object.freeze({
  conversation: 'friend',
  from: 'from',
  to: 'to',
  type: 'type',
  seq: 'seq',
  cid: 'cid',
  createdAt: 'createdAt',
})
export type Field = keyof typeof ARTICLE
export type Names = Readonly<Record<Field, string>>

/** A collection of messages, with the names of its fields. */
export interface Rows {
  collection: Collection
  names: Names
}

/** A row without a number. */
export interface OldRow {
  id: unknown
  friend: unknown
  /** A key of `friend`, to compare by. */
  conversation: string
  /** The time that is in the row, or in its `_id`. */
  at: unknown
  /** Whether the row itself has a time that can be read. */
  timed: boolean
  /** The cid to give it; undefined if it has one. */
  cid: string | undefined
}

/** Rows that have no number yet and can get one. */
export const unnumbered = ({ names }: Rows): Document => withoutPlace(names)

export const numbered = ({ names }: Rows): Document => ({ [names.seq]: { $gt: 0 } })

/** Where `input` holds a time in any form that MongoDB can read. */
const toDate = (input: unknown, otherwise: unknown) => ({
  $convert: { input, to: 'date', onError: otherwise, onNull: otherwise },
})

/** Whether a row has a time of its own. */
export const isTimed = ({ names }: Rows): Document => ({ $ne: [toDate(`$${names.createdAt}`, null), null] })

/** The time of a row: its own, or that of its `_id`. */
export const timeOf = ({ names }: Rows): Document =>
  toDate(`$${names.createdAt}`, toDate('$_id', { $toDate: { $toLong: 0 } }))

/**
 * The rows without a number in the order in which they get one. Sorted by the server, on disk where memory does not
 * do: the article's collection has no index on `friend`, and one read of all rows is cheaper than to make one.
 */
export async function* oldRows(rows: Rows): AsyncGenerator<OldRow> {
  const { collection, names } = rows
  const cursor = collection.aggregate(
    [
      { $match: unnumbered(rows) },
      {
        $project: {
          friend: `$${names.conversation}`,
          cid: `$${names.cid}`,
          at: timeOf(rows),
          timed: isTimed(rows),
        },
      },
      { $sort: { friend: 1, at: 1, _id: 1 } },
    ],
    { allowDiskUse: true, batchSize: 2_000, readConcern: { level: 'majority' } },
  )
  for await (const { _id, friend, at, cid, timed } of cursor)
    yield {
      id: _id,
      friend,
      conversation: String(friend),
      at,
      timed: timed === true,
      cid: isId(cid) ? undefined : String(_id),
    }
}
