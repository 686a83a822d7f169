import type { Doc, Model } from './mongo-connection.js'
import { Ids } from './mongo-ids.js'
import type { MongoIdTypes, ResolvedMongoOptions } from './mongo-options.js'

/** An index that the store relies on. */
export interface Index {
  collection: string
  key: Doc
  unique: boolean
  partialFilterExpression?: Doc
  /** What it has for a name, where it exists. */
  name: string
}

/** The models on the app's connection: the app's own where it has one for the collection, otherwise made here. */
export interface MongoModels {
  messages: unknown
  friends?: unknown
}

/** Where in the database what is: collections, fields, kinds of ids, indexes. */
export class Layout {
  readonly ids: Ids
  readonly seqIndex: Index
  readonly cidIndex: Index
  readonly markIndex: Index
  readonly friendIndexes: readonly Index[]
  readonly models: MongoModels
  /** What the schema of the app's messages says of `autoIndex`. */
  #ofApp: boolean | undefined

  constructor(readonly options: ResolvedMongoOptions) {
    const { collections, messages, friends, connection } = options
    this.ids = new Ids(connection.base.Types.ObjectId, options.runtime)
    // Rows of before Kithwire have neither seq nor cid, and stay out of both.
    this.seqIndex = unique(collections.messages, [messages.conversation, messages.seq], { [messages.seq]: { $gt: 0 } })
    this.cidIndex = unique(collections.messages, [messages.conversation, messages.from, messages.cid], {
      [messages.cid]: { $gt: '' },
    })
    this.markIndex = unique(collections.marks, ['conversation', 'user'])
    this.friendIndexes =
      collections.friends === false
        ? []
        : [
            unique(collections.friends, [friends.pair], { [friends.pair]: { $gt: '' } }),
            index(collections.friends, [friends.user1, friends.user2]),
            index(collections.friends, [friends.user2]),
          ]
    const messageModel = this.#model(collections.messages, [this.seqIndex, this.cidIndex])
    this.#learn(messageModel, messages.conversation, 'conversation')
    this.#learn(messageModel, messages.from, 'from')
    this.models = { messages: messageModel }
    if (collections.friends === false) return
    const friendModel = this.#model(collections.friends, this.friendIndexes)
    this.#learn(friendModel, friends.user1, 'user')
    this.models.friends = friendModel
  }

  get indexes(): readonly Index[] {
    return [this.seqIndex, this.cidIndex, ...this.friendIndexes, this.markIndex]
  }

  /** Whether mongoose, by its own rules, makes the indexes that are missing. */
  get autoIndex(): boolean {
    const { connection } = this.options
    return this.#ofApp ?? connection.config?.autoIndex ?? connection.base.options?.autoIndex ?? true
  }

  /**
   * The model of a collection. The indexes are declared in its schema, or a later `syncIndexes()` of the app would drop
   * what keeps entries unique.
   */
  #model(collection: string, indexes: readonly Index[]): Model {
    const { connection } = this.options
    // Not a name that the app could want for a model of its own.
    const name = `kithwire.${collection}`
    const known = Object.values(connection.models).find((model) => model.collection?.collectionName === collection)
    const { Schema } = connection.base
    // The start makes collections and indexes, and mongoose must not come in between.
    const ours = { strict: false, versionKey: false, id: false, autoCreate: false, autoIndex: false }
    const schema = known?.schema ?? new Schema({ _id: {} }, { collection, ...ours })
    const declared = new Set(schema.indexes().map(([key]) => JSON.stringify(key)))
    for (const { key, unique, partialFilterExpression } of indexes) {
      if (declared.has(JSON.stringify(key))) continue
      schema.index(key, { ...(unique && { unique }), ...(partialFilterExpression && { partialFilterExpression }) })
    }
    const autoIndex = known && known !== connection.models[name] ? schema.get('autoIndex') : undefined
    if (typeof autoIndex === 'boolean') this.#ofApp = autoIndex
    return known ?? connection.model(name, schema, collection)
  }

  #learn(model: Model, field: string, kind: keyof MongoIdTypes): void {
    const instance = model.schema.path(field)?.instance?.toLowerCase()
    const type = instance === 'objectid' ? 'objectId' : instance === 'string' ? 'string' : undefined
    this.ids.types[kind] = this.options.types[kind] ?? type ?? this.ids.types[kind]
  }
}

const index = (collection: string, fields: readonly string[]): Index => ({
  collection,
  key: Object.fromEntries(fields.map((field) => [field, 1])),
  unique: false,
  // As mongoose and the driver name them.
  name: fields.map((field) => `${field}_1`).join('_'),
})

const unique = (collection: string, fields: readonly string[], partialFilterExpression?: Doc): Index => ({
  ...index(collection, fields),
  unique: true,
  ...(partialFilterExpression && { partialFilterExpression }),
})
