import { KithwireError, type Runtime, systemRuntime } from '@kithwire/protocol'
import { type Connection, checkConnection, type MongooseConnection } from './mongo-connection.js'

/** How an id is kept. `objectId`: 24 lower-case hex digits as an ObjectId, any other id as a string. */
export type MongoIdType = 'objectId' | 'string'

/** The collections that are used. */
export interface MongoCollections {
  /** Of the entries: that of the app's messages. @default 'messages' */
  messages: string
  /** Of the friendships; false where the app keeps them elsewhere and passes `friendships`. @default 'friends' */
  friends: string | false
  /** How far who has got in what. @default 'kithwire_marks' */
  marks: string
  /** Where the logs begin that retention has cut. @default 'kithwire_logs' */
  logs: string
  /** The epoch of the store. @default 'kithwire_store' */
  store: string
}

/** The names of the fields of a message. */
export interface MongoMessageFields {
  /** The `_id` of the friendship. @default 'friend' */
  conversation: string
  from: string
  /** Written where the friendship is in `collections.friends`, read by the app only. */
  to: string
  type: string
  content: string
  seq: string
  cid: string
  createdAt: string
  ref: string
  /** As JSON text: a key may hold what MongoDB does not allow in names. */
  meta: string
  hash: string
}

/** The names of the fields of a friendship. A document that has no `state` is a friendship that both have accepted. */
export interface MongoFriendFields {
  user1: string
  user2: string
  state: string
  requester: string
  blockedBy: string
  createdAt: string
  changedAt: string
  version: string
  /** The two users as one text, so that an index can keep a pair unique in either order. */
  pair: string
}

/** How ids are kept, for apps whose data say otherwise than the article's. */
export interface MongoIdTypes {
  /** @default as the app's model or its first document has it, otherwise 'objectId' */
  conversation: MongoIdType
  /** Of `from` and `to` in messages. @default as above, otherwise 'string' */
  from: MongoIdType
  /** Of users in friendships. @default as above, otherwise 'objectId' */
  user: MongoIdType
}

export interface MongoOptions {
  /** The connection that the app has already, such as `mongoose.connection`; it may still be connecting. */
  connection: MongooseConnection
  /** Names that differ from the defaults. */
  collections?: Partial<MongoCollections>
  /** Names of fields that differ from the defaults, which are those of the article. */
  fields?: { messages?: Partial<MongoMessageFields>; friends?: Partial<MongoFriendFields> }
  /** How ids are kept, where it cannot be told from the app's models or its data. */
  types?: Partial<MongoIdTypes>
  /**
   * Allows a server that is no replica set. What is acknowledged is durable there, too; but after a crash of mongod,
   * somebody may have been shown an entry that is gone and whose seq is given again. Each start warns.
   *
   * @default false
   */
  standalone?: boolean
  /** Clocks and randomness. @default systemRuntime */
  runtime?: Runtime
}

/** Options with every default filled in. */
export interface ResolvedMongoOptions {
  connection: Connection
  collections: MongoCollections
  messages: MongoMessageFields
  friends: MongoFriendFields
  types: Partial<MongoIdTypes>
  standalone: boolean
  runtime: Runtime
}

const COLLECTIONS: MongoCollections = {
  messages: 'messages',
  friends: 'friends',
  marks: 'kithwire_marks',
  logs: 'kithwire_logs',
  store: 'kithwire_store',
}

const MESSAGES: MongoMessageFields = {
  conversation: 'friend',
  from: 'from',
  to: 'to',
  type: 'type',
  content: 'content',
  seq: 'seq',
  cid: 'cid',
  createdAt: 'createdAt',
  ref: 'ref',
  meta: 'meta',
  hash: 'hash',
}

const FRIENDS: MongoFriendFields = {
  user1: 'user1',
  user2: 'user2',
  state: 'state',
  requester: 'requester',
  blockedBy: 'blockedBy',
  createdAt: 'createdAt',
  changedAt: 'changedAt',
  version: 'version',
  pair: 'pair',
}

const KNOWN = ['connection', 'collections', 'fields', 'types', 'standalone', 'runtime']

/** @throws KithwireError `bad_option` */
export function resolveMongoOptions(given: MongoOptions): ResolvedMongoOptions {
  if (typeof given !== 'object' || given === null) throw bad('expected { connection }')
  onlyKnown(given, KNOWN, '')
  const { collections = {}, fields = {}, types = {}, standalone = false, runtime = systemRuntime } = given
  onlyKnown(fields, ['messages', 'friends'], 'fields.')
  if (typeof standalone !== 'boolean') throw bad(`standalone: expected true or false, came ${String(standalone)}`)
  onlyKnown(types, ['conversation', 'from', 'user'], 'types.')
  for (const [name, type] of Object.entries(types))
    if (type !== undefined && type !== 'objectId' && type !== 'string')
      throw bad(`types.${name}: expected 'objectId' or 'string', came ${JSON.stringify(type)}`)
  const { friends, ...others } = collections
  const named = mapping(others, COLLECTIONS, 'collections.', /^(?!system\.)[^$\u0000]+$/)
  if (friends !== undefined && friends !== false) mapping({ friends }, COLLECTIONS, 'collections.', /^[^$\u0000]+$/)
  return {
    connection: checkConnection(given.connection),
    collections: { ...named, friends: friends ?? COLLECTIONS.friends },
    messages: mapping(fields.messages, MESSAGES, 'fields.messages.', FIELD),
    friends: mapping(fields.friends, FRIENDS, 'fields.friends.', FIELD),
    types,
    standalone,
    runtime,
  }
}

const FIELD = /^(?!_id$|__v$|\$)[^.\u0000]+$/

/** The defaults with what differs from them; all names are different from each other. */
function mapping<T extends object>(given: Partial<T> | undefined, defaults: T, path: string, valid: RegExp): T {
  const changes = given ?? {}
  onlyKnown(changes, Object.keys(defaults), path)
  const result = { ...defaults }
  for (const [key, name] of Object.entries(changes)) {
    if (name === undefined) continue
    if (typeof name !== 'string' || !valid.test(name)) throw bad(`${path}${key}: expected a name, came ${String(name)}`)
    Object.assign(result, { [key]: name })
  }
  const names = Object.values(result)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw bad(`${path.slice(0, -1)}: expected different names, came '${twice}' twice`)
  return result
}

function onlyKnown(given: object, known: readonly string[], path: string): void {
  for (const name of Object.keys(given))
    if (!known.includes(name)) throw bad(`${path}${name}: there is no such option. Known: ${known.join(', ')}`)
}

const bad = (message: string) => new KithwireError('bad_option', `mongo: ${message}.`)
