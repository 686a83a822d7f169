import { EventEmitter } from 'node:events'
import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { type MongoOptions, mongo } from './mongo.js'
import { isTransient, toKithwireError } from './mongo-errors.js'
import { Ids } from './mongo-ids.js'
import { Terms } from './mongo-terms.js'

class ObjectId {
  constructor(private readonly hex: string) {}
  toHexString() {
    return this.hex
  }
}

class Schema {
  path() {}
  index() {}
  indexes() {
    return []
  }
  get() {}
}

/** As much of a mongoose connection as the constructor looks at. */
function fakeConnection() {
  return Object.assign(new EventEmitter(), {
    readyState: 0,
    models: {},
    base: { Schema, Types: { ObjectId } },
    getClient: () => undefined,
    model: (_name: string, schema: object) => ({ schema }),
  })
}

describe('mongo()', () => {
  it.each([
    [undefined, 'expected { connection }'],
    [{}, 'such as mongoose.connection, came undefined'],
    [{ connection: { connection: {}, Schema } }, 'came mongoose itself'],
    [{ connection: { readyState: 1 } }, 'this one has no model()'],
    [{ connection: { ...fakeConnection(), on() {}, once() {}, removeListener() {}, base: {} } }, 'connection.base'],
    [{ url: 'mongodb://localhost' }, 'url: there is no such option. Known: connection'],
    [{ standalone: 'yes' }, 'standalone: expected true or false, came yes'],
    [{ collections: { message: 'x' } }, 'collections.message: there is no such option'],
    [{ collections: { messages: 'a$b' } }, 'collections.messages: expected a name, came a$b'],
    [{ collections: { messages: 'x', marks: 'x' } }, "collections: expected different names, came 'x' twice"],
    [{ collections: { friends: '' } }, 'collections.friends: expected a name'],
    [{ fields: { messages: { conversation: 'seq' } } }, "fields.messages: expected different names, came 'seq' twice"],
    [{ fields: { messages: { from: 'a.b' } } }, 'fields.messages.from: expected a name, came a.b'],
    [{ fields: { friends: { user1: '_id' } } }, 'fields.friends.user1: expected a name, came _id'],
    [{ types: { user: 'number' } }, "types.user: expected 'objectId' or 'string', came \"number\""],
  ])('refuses %j', (given, message) => {
    const needs = given && Object.keys(given)[0] !== 'connection' && Object.keys(given).length > 0
    const options = (needs ? { connection: fakeConnection(), ...given } : given) as MongoOptions
    const make = () => mongo(options)
    expect(make).toThrow(expect.objectContaining({ code: 'bad_option' }))
    expect(make).toThrow(message)
  })

  it('says what is missing while nobody opens the connection', async () => {
    const clock = new FakeClock()
    const store = mongo({ connection: fakeConnection() as never, runtime: clock })
    const ready = expect(store.ready()).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('call mongoose.connect(uri)'),
    })
    await clock.advance(10_000)
    await ready
    await store.close()
    await expect(store.heads(['c'])).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('ids', () => {
  const ids = new Ids(ObjectId, new FakeClock())

  it('are ObjectIds where they can be, and come back as they were', () => {
    const texts = ['5d1328295793f14020a979d5', '5D1328295793F14020A979D5', '5d1328295793f14020a979d', 'ann', '']
    expect(texts.map((text) => ids.to('conversation', text) instanceof ObjectId)).toEqual([
      true,
      ...Array(4).fill(false),
    ])
    expect(texts.map((text) => ids.from(ids.to('conversation', text)))).toEqual(texts)
    expect(ids.to('from', texts[0]!)).toBe(texts[0])
  })

  it('never let an operator into a query', () => {
    expect(() => ids.to('from', { $ne: null } as never)).toThrow(TypeError)
  })

  it('grow as entries are made, within a second and while the clock goes back, for apps that sort by them', () => {
    const clock = new FakeClock()
    const source = new Ids(ObjectId, clock)
    const made = Array.from({ length: 70_000 }, () => source.make())
    clock.jump(-3_600_000)
    made.push(source.make())
    clock.jump(3_700_000)
    made.push(source.make())
    expect(made.every((id) => /^[0-9a-f]{24}$/.test(id))).toBe(true)
    expect([...new Set(made)].sort()).toEqual(made)
    expect(Ids.time(new ObjectId(made.at(-1)!))).toBe(Math.floor(clock.now() / 1_000) * 1_000)
  })

  it('of new entries say when they were made', () => {
    const clock = new FakeClock()
    const made = new Ids(ObjectId, clock).make()
    expect(made).toMatch(/^[0-9a-f]{24}$/)
    expect(Ids.time(new ObjectId(made))).toBe(Math.floor(clock.now() / 1_000) * 1_000)
  })
})

describe('terms', () => {
  const seen = (electionId: string | null) => ({
    newDescription: {
      type: 'ReplicaSetWithPrimary',
      servers: new Map(electionId ? [['a', { address: 'a', type: 'RSPrimary', electionId, setVersion: 1 }]] : []),
    },
  })

  it('end with each new primary, and not with a look at the same one', () => {
    const client = Object.assign(new EventEmitter(), { topology: { description: seen('1').newDescription } })
    const terms = new Terms()
    terms.watch(client as never)
    terms.settle(terms.current)
    expect(terms.isSettled).toBe(true)
    client.emit('topologyDescriptionChanged', seen(null))
    client.emit('topologyDescriptionChanged', seen('1'))
    expect(terms.isSettled).toBe(true)
    client.emit('topologyDescriptionChanged', seen('2'))
    expect(terms.isSettled).toBe(false)
    terms.settle(terms.current - 1)
    expect(terms.isSettled).toBe(false)
    terms.stop()
    expect(client.listenerCount('topologyDescriptionChanged')).toBe(0)
  })
})

describe('errors', () => {
  it.each([
    [{ name: 'MongoNetworkError' }, true],
    [{ name: 'MongoServerSelectionError' }, true],
    [{ name: 'MongoPoolClearedError' }, true],
    [{ name: 'MongoWriteConcernError', code: 64 }, true],
    [{ name: 'MongoServerError', code: 10_107 }, true],
    [{ name: 'MongoServerError', code: 13 }, false],
    [new TypeError('x'), false],
    [undefined, false],
  ])('%j may pass: %s', (error, transient) => {
    expect(isTransient(error)).toBe(transient)
    expect(toKithwireError(error)).toMatchObject({ code: transient ? 'store_unavailable' : 'internal', cause: error })
  })
})
