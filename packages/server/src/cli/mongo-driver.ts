import { createRequire } from 'node:module'
import { join } from 'node:path'
import { KithwireError } from '@kithwire/protocol'

export type Document = { [field: string]: unknown }

/** What the commands use of the driver of MongoDB, which is the same from version 3.7 (mongoose 5.13) to 7. */
export interface Collection {
  readonly collectionName: string
  aggregate(pipeline: readonly Document[], options?: Document): Cursor
  find(filter: Document, options?: Document): Cursor
  countDocuments(filter: Document): Promise<number>
  estimatedDocumentCount(): Promise<number>
  updateOne(filter: Document, update: Document, options?: Document): Promise<{ matchedCount: number }>
  deleteOne(filter: Document): Promise<unknown>
  bulkWrite(operations: readonly Document[], options?: Document): Promise<{ matchedCount: number }>
  createIndex(keys: Document, options: Document): Promise<string>
  listIndexes(): Cursor
}

export interface Cursor extends AsyncIterable<Document> {
  toArray(): Promise<Document[]>
}

export interface Session {
  /** As the server knows it. */
  readonly id: { readonly id: unknown }
  startTransaction(options: Document): void
  commitTransaction(): Promise<unknown>
  abortTransaction(): Promise<unknown>
  endSession(): unknown
}

export interface Database {
  collection(name: string): Collection
  command(command: Document): Promise<Document>
}

export interface Client {
  connect(): Promise<unknown>
  db(name?: string): Database
  startSession(): Session
  close(): Promise<unknown>
}

interface Mongoose {
  version: string
  mongo: { MongoClient: new (url: string, options: Document) => Client }
}

/** How long a server may take to be found, ms. */
const SELECTION_MS = 5_000

/** The driver of the app's own mongoose, or of the one beside this package. @throws KithwireError `missing_dependency` */
function findMongoose(): Mongoose {
  const places = [join(process.cwd(), 'kithwire.js'), __filename]
  for (const place of places) {
    try {
      return createRequire(place)('mongoose') as Mongoose
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  throw new KithwireError(
    'missing_dependency',
    'MongoDB is reached by the mongoose of your app, and none was found. Run this where your app is installed, or `npm install mongoose`.',
  )
}

/** Connects. The caller closes. @throws what the driver says if no server answers within 5 s */
export async function connect(url: string): Promise<Client> {
  const { mongo, version } = findMongoose()
  const old = version.startsWith('5.') ? { useNewUrlParser: true, useUnifiedTopology: true } : {}
  // Over what the address says for the app's own reads: an old head from a secondary would be of no use.
  const options = { serverSelectionTimeoutMS: SELECTION_MS, readPreference: 'primary', ...old }
  const client = new mongo.MongoClient(url, options)
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.close().catch(() => {})
    throw error
  }
}

/** What kind of a server it is. Sharded clusters are made of replica sets. */
export async function topologyOf(database: Database): Promise<'replica set' | 'standalone'> {
  // The old name of `hello`, which servers before 4.4.2 know as well.
  const { setName, msg } = await database.command({ isMaster: 1 })
  return typeof setName === 'string' || msg === 'isdbgrid' ? 'replica set' : 'standalone'
}

/** The one command that makes a standalone server, started with --replSet, a replica set of one. */
export const MAKE_REPLICA_SET =
  'start mongod with `--replSet rs0` and run `mongosh --eval "rs.initiate()"` once; one node is enough'
