import type { Doc } from './mongo-connection.js'

const ID = '^[A-Za-z0-9_-]{1,64}$'
const USER = '^[^\\x00-\\x1f\\x7f-\\x9f]{1,256}$'
const TYPE = '^[a-z][a-z0-9_.-]{0,31}$'

/**
 * Messages of before Kithwire that have no place yet and can get one. The others lack what a client must be told of a
 * message: a frame with such a one in it would be refused as a whole, and nobody could read on behind it.
 *
 * @param names of the fields
 */
export const withoutPlace = (names: Record<'conversation' | 'from' | 'type' | 'seq', string>): Doc => ({
  [names.seq]: null,
  $and: [
    { $or: [{ _id: { $type: ['objectId', 'int', 'long'] } }, { _id: { $regex: ID } }] },
    { $or: [{ [names.conversation]: { $type: 'objectId' } }, { [names.conversation]: { $regex: ID } }] },
    { $or: [{ [names.from]: { $type: 'objectId' } }, { [names.from]: { $regex: USER } }] },
    { $or: [{ [names.type]: null }, { [names.type]: { $regex: TYPE } }] },
  ],
})
