import { KithwireError, newId } from '@kithwire/protocol'
import type { Doc, Reply } from './mongo-connection.js'
import { type Database, isTaken } from './mongo-database.js'
import { Ids } from './mongo-ids.js'
import { ensureIndexes } from './mongo-indexes.js'
import type { Layout } from './mongo-layout.js'
import { withoutPlace } from './mongo-old-rows.js'

/** What the start finds out. */
export interface Started {
  /** Keys the fingerprints of blanked content. */
  secret: Uint8Array
}

/** Raised when what is stored can no longer be read by older versions. */
const FORMAT = 1

/**
 * Looks at the server and the data before anything is written: a replica set or a permitted standalone, the indexes,
 * how ids are kept, no messages without a seq.
 *
 * @throws KithwireError `bad_state` with what to do about it
 */
export async function start(database: Database, layout: Layout): Promise<Started> {
  const { options } = layout
  database.barrierCollection = options.collections.store
  checkDriver(database)
  const hello = await database.retry(() => database.command({ hello: 1 }))
  database.isReplicaSet = checkServer(hello, options.standalone)
  await learnTypes(database, layout)
  await ensureIndexes(database, layout.indexes, layout.autoIndex)
  const secret = await openStore(database, layout)
  return { secret: Buffer.from(secret, 'base64') }
}

/** The old topology of mongoose 5 does not tell of a new primary. */
function checkDriver({ connection }: Database): void {
  const { topology } = connection.readyState === 1 ? connection.getClient() : {}
  if (topology && topology.description === undefined)
    throw new KithwireError(
      'bad_state',
      'Expected the unified topology of the driver; with mongoose 5 pass { useUnifiedTopology: true } to connect().',
    )
}

/** True for a replica set. */
function checkServer({ setName, msg, isreplicaset }: Reply, standalone: boolean): boolean {
  if (typeof setName === 'string' || msg === 'isdbgrid') return true
  const initiate = "run once: mongosh --eval 'rs.initiate()'"
  if (isreplicaset === true) throw new KithwireError('bad_state', `The replica set is not initiated yet; ${initiate}`)
  if (!standalone)
    throw new KithwireError(
      'bad_state',
      'MongoDB runs standalone: after a crash of it, somebody may have seen an entry that is gone. One node as a ' +
        `replica set costs the same and has no such gap: start mongod with --replSet rs0 and ${initiate}. ` +
        'To run without, pass { standalone: true }.',
    )
  process.emitWarning('MongoDB runs standalone: after a crash of mongod, entries that somebody saw may be gone.', {
    code: 'KITHWIRE_STANDALONE',
    detail: 'Start it with --replSet rs0 and run rs.initiate() once; one node is enough.',
  })
  return false
}

/** Where neither an option nor a model says how ids are kept, the first document does. */
async function learnTypes(database: Database, { options, ids, models }: Layout): Promise<void> {
  const { collections, messages, friends, types } = options
  const learn = async (
    collection: string,
    model: unknown,
    kinds: readonly (readonly [keyof typeof ids.types, string])[],
  ) => {
    const open = kinds.filter(
      ([kind, field]) => !types[kind] && !(model as { schema: { path(name: string): unknown } }).schema.path(field),
    )
    if (open.length === 0) return
    const [first] = await database.peek({ find: collection, limit: 1, singleBatch: true })
    for (const [kind, field] of open) ids.types[kind] = Ids.typeOf(first?.[field]) ?? ids.types[kind]
  }
  await learn(collections.messages, models.messages, [
    ['conversation', messages.conversation],
    ['from', messages.from],
  ])
  if (collections.friends) await learn(collections.friends, models.friends, [['user', friends.user1]])
}

/** The secret of the store; the first start makes it, and the epoch. */
async function openStore(database: Database, layout: Layout): Promise<string> {
  const { collections, messages, runtime } = layout.options
  const query = { find: collections.store, filter: { _id: 'store' }, limit: 1, singleBatch: true }
  let [store] = await database.read(query)
  if (!store) {
    // Once is enough: who has a store has been through this.
    const filter = withoutPlace(messages)
    const [old] = await database.read({ find: collections.messages, filter, limit: 1, singleBatch: true })
    if (old)
      throw new KithwireError(
        'bad_state',
        `The collection ${collections.messages} has messages without \`${messages.seq}\`, which nobody would see. ` +
          'Give them their places first: npx kithwire migrate',
      )
    const fresh: Doc = {
      epoch: newId(runtime),
      secret: Buffer.from(runtime.bytes(32)).toString('base64'),
      format: FORMAT,
    }
    const update = { q: { _id: 'store' }, u: { $setOnInsert: fresh }, upsert: true }
    isTaken(await database.write({ update: collections.store, updates: [update] }))
    store = (await database.read(query))[0]
  }
  if (typeof store?.secret !== 'string' || typeof store.format !== 'number' || store.format > FORMAT)
    throw new KithwireError(
      'bad_state',
      `The document 'store' in ${collections.store} is of a newer version, or not of Kithwire.`,
    )
  return store.secret
}
