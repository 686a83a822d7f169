import type { Document } from '../mongo-driver.js'
import type { Rows } from './rows.js'

/** A unique index that an append relies on. */
export interface Index {
  keys: Document
  options: { unique: true; partialFilterExpression: Document }
}

/** The indexes that make one insert sequence and idempotency. */
export const indexesOf = ({ names: { conversation, from, seq, cid } }: Rows): Index[] => [
  { keys: { [conversation]: 1, [seq]: 1 }, options: { unique: true, partialFilterExpression: { [seq]: { $gt: 0 } } } },
  {
    keys: { [conversation]: 1, [from]: 1, [cid]: 1 },
    options: { unique: true, partialFilterExpression: { [cid]: { $gt: '' } } },
  },
]
