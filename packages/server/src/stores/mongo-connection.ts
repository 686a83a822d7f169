import { KithwireError } from '@kithwire/protocol'

/**
 * What Kithwire needs of a mongoose connection, whichever mongoose from 5.13 to 9 it is of. The types of mongoose
 * differ between its versions, so none of them is named here.
 */
export interface MongooseConnection {
  readonly readyState: number
  /** The models that the app has made on this connection. */
  readonly models: object
  getClient(): unknown
}

/** A document as the driver gives it. */
export interface Doc {
  readonly [field: string]: unknown
}

/** The answer of the server to a command. */
export interface Reply extends Doc {
  readonly cursor?: { readonly firstBatch: readonly Doc[] }
  readonly writeErrors?: readonly WriteError[]
  readonly value?: Doc | null
}

/** Why one statement of a command was not carried out. */
export interface WriteError {
  /** Of the statement in its command. */
  readonly index: number
  readonly code: number
  readonly errmsg: string
  readonly keyPattern?: Doc
}

export interface ObjectIdClass {
  new (hex: string): { toHexString(): string }
}

/** The parts of a mongoose model that are used, in all versions. */
export interface Model {
  readonly collection: { readonly collectionName: string }
  readonly schema: {
    path(name: string): { readonly instance?: string } | undefined
    index(fields: Doc, options: Doc): unknown
    indexes(): readonly (readonly [Doc, ...unknown[]])[]
    get(option: string): unknown
  }
}

/** A topology of the driver, and one of its servers. */
export interface Topology {
  readonly type: string
  readonly servers: ReadonlyMap<string, Server>
}

export interface Server {
  readonly address: string
  readonly type: string
  readonly electionId?: unknown
  readonly setVersion?: number | null
}

export interface Client {
  on(event: 'topologyDescriptionChanged', listener: (event: { readonly newDescription: Topology }) => void): unknown
  removeListener(event: 'topologyDescriptionChanged', listener: (event: never) => void): unknown
  readonly topology?: { readonly description?: Topology }
}

/** A connection, with everything of it that is used. */
export interface Connection extends MongooseConnection {
  readonly models: Readonly<Record<string, Model>>
  readonly db?: { command(command: Doc, options?: Doc): Promise<Reply> } | null
  readonly base: {
    readonly version?: string
    readonly Schema: new (definition: Doc, options: Doc) => Model['schema']
    readonly Types: { readonly ObjectId: ObjectIdClass }
    readonly options?: { readonly autoIndex?: boolean }
  }
  readonly config?: { readonly autoIndex?: boolean }
  model(name: string, schema: object, collection: string): Model
  getClient(): Client
  once(event: string, listener: () => void): unknown
  removeListener(event: string, listener: () => void): unknown
}

/** @throws KithwireError `bad_option` */
export function checkConnection(given: unknown): Connection {
  const connection = given as Partial<Connection> & { connection?: unknown }
  const what = 'connection: expected a mongoose connection, such as mongoose.connection'
  if (typeof given !== 'object' || given === null)
    throw new KithwireError('bad_option', `${what}, came ${given === null ? 'null' : typeof given}.`)
  if (connection.connection !== undefined && connection.readyState === undefined)
    throw new KithwireError('bad_option', `${what}, came mongoose itself.`)
  for (const method of ['model', 'getClient', 'once', 'removeListener'] as const)
    if (typeof connection[method] !== 'function')
      throw new KithwireError('bad_option', `${what}, of mongoose 5.13 or later; this one has no ${method}().`)
  if (typeof connection.base?.Schema !== 'function' || typeof connection.base.Types?.ObjectId !== 'function')
    throw new KithwireError('bad_option', `${what}; this one does not know its mongoose (connection.base).`)
  return connection as Connection
}
