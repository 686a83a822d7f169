import { mongo } from '@kithwire/server/mongo'
import mongoose, { type Connection } from 'mongoose'
import mongoose5 from 'mongoose5'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { withMongod } from './bench.js'

const { Schema, Types } = mongoose
const open: Connection[] = []

async function connect(uri: string, options = {}): Promise<Connection> {
  const connection = await mongoose.createConnection(uri, options).asPromise()
  open.push(connection)
  return connection
}

afterEach(async () => {
  await open[0]?.dropDatabase()
  await Promise.all(open.splice(0).map((connection) => connection.close()))
})

/** The models of the article. */
function article(connection: Connection) {
  const { ObjectId } = Schema.Types
  const Friend = connection.model(
    'Friend',
    new Schema({
      user1: { type: ObjectId, ref: 'User', required: true },
      user2: { type: ObjectId, ref: 'User', required: true },
    }),
  )
  const Message = connection.model(
    'Message',
    new Schema({
      friend: { type: ObjectId, ref: 'Friend', required: true },
      from: String,
      to: String,
      content: String,
      type: { type: String, default: 'text' },
    }),
  )
  return { Friend, Message }
}

const hex = () => new Types.ObjectId().toHexString()
const item = (cid: string) => ({ cid, type: 'text', content: `content of ${cid}` })

withMongod('a standalone server', 'standalone', ({ newUri }) => {
  it('is refused with what makes it a replica set', async () => {
    const store = mongo({ connection: await connect(newUri()) })
    await expect(store.ready()).rejects.toMatchObject({ code: 'bad_state' })
    await expect(store.heads(['c'])).rejects.toThrow("--replSet rs0 and run once: mongosh --eval 'rs.initiate()'")
    await store.close()
  })

  it('is taken with a warning where it is wanted', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const store = mongo({ connection: await connect(newUri()), standalone: true })
    await store.ready()
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('standalone'), expect.anything())
    warned.mockRestore()
    await store.close()
  })
})

withMongod('the start on a replica set', 'replica set', ({ newUri }) => {
  describe('indexes', () => {
    it('are asked for where mongoose may not make them, and the commands that are told make them', async () => {
      const connection = await connect(newUri(), { autoIndex: false })
      const store = mongo({ connection })
      const error = await store.ready().catch((cause) => cause)
      expect(error).toMatchObject({ code: 'bad_state' })
      const commands = [...error.message.matchAll(/^db\.getCollection\("(.+)"\)\.createIndex\((.+)\)$/gm)]
      expect(commands).toHaveLength(6)
      await expect(store.append([{ conversation: 'c', from: 'ann', items: [item('1')] }])).rejects.toThrow('indexes')
      for (const [, collection, args] of commands) {
        const [key, options] = JSON.parse(`[${args}]`)
        await connection.collection(collection!).createIndex(key, options)
      }
      await store.ready()
      await store.close()
    })

    it('that are not unique are not taken for unique ones', async () => {
      const connection = await connect(newUri())
      await connection.collection('messages').createIndex({ friend: 1, seq: 1 })
      const store = mongo({ connection })
      await expect(store.ready()).rejects.toThrow(
        /could not be made.+dropIndex\("friend_1_seq_1"\)\n.+"seq":1\}, \{"unique":true/s,
      )
      await store.close()
    })

    it('under other names, and with another filter beside them, are found', async () => {
      const connection = await connect(newUri())
      const messages = connection.collection('messages')
      const partialFilterExpression = { seq: { $gt: 0 } }
      await messages.createIndex({ friend: 1, seq: 1 }, { name: 'mine', unique: true, partialFilterExpression })
      const store = mongo({ connection })
      await store.append([{ conversation: 'c', from: 'ann', items: [item('1')] }])
      expect((await store.read('c', { after: 0, limit: 9 })).map(({ cid }) => cid)).toEqual(['1'])
      await store.close()
    })

    it('outlive a syncIndexes() of the app', async () => {
      const connection = await connect(newUri())
      const { Message } = article(connection)
      const store = mongo({ connection })
      await store.ready()
      await Message.syncIndexes()
      expect(Object.keys(await Message.collection.indexInformation()).sort()).toEqual([
        '_id_',
        'friend_1_from_1_cid_1',
        'friend_1_seq_1',
      ])
      await store.close()
    })
  })

  describe('models', () => {
    it('of the app are used and not defined anew', async () => {
      const connection = await connect(newUri())
      const { Friend, Message } = article(connection)
      const store = mongo({ connection })
      expect(store.models).toEqual({ messages: Message, friends: Friend })
      expect(Object.keys(connection.models).sort()).toEqual(['Friend', 'Message'])
      await store.close()
    })

    it('may be defined by the app later', async () => {
      const connection = await connect(newUri())
      const store = mongo({ connection })
      const { Message } = article(connection)
      const conversation = hex()
      await store.append([{ conversation, from: 'ann', items: [item('1')] }])
      expect(await Message.countDocuments({ friend: conversation })).toBe(1)
      await store.close()
    })
  })

  describe('documents', () => {
    it('are what the article has, and a little more', async () => {
      const connection = await connect(newUri())
      const { Friend, Message } = article(connection)
      const [jeffery, testuser] = [hex(), hex()]
      const friend = await Friend.create({ user1: jeffery, user2: testuser })
      const store = mongo({ connection })
      const conversation = friend.id as string
      const [outcome] = await store.append([{ conversation, from: testuser, items: [item('1')] }])
      const [row] = await Message.find({ friend: friend._id }).lean()
      expect(row).toMatchObject({
        friend: friend._id,
        from: testuser,
        to: jeffery,
        content: 'content of 1',
        type: 'text',
      })
      expect(row).toMatchObject({ seq: 1, cid: '1' })
      expect(outcome!.stored[0]).toMatchObject({ id: row!._id.toHexString(), seq: 1 })
      expect(await Message.findOne().populate('friend')).toMatchObject({ friend: { id: conversation } })
      await store.close()
    })

    it.each(['by its schema', 'by its first document'])('keep ids as the app does: %s', async (how) => {
      const connection = await connect(newUri())
      const [conversation, from] = [hex(), hex()]
      if (how === 'by its schema')
        connection.model('Message', new Schema({ friend: String, from: Schema.Types.ObjectId }, { strict: false }))
      else {
        const old = { friend: conversation, from: new Types.ObjectId(from), seq: 1, cid: 'old', content: 'old' }
        await connection.collection('messages').insertOne(old)
      }
      const store = mongo({ connection })
      await store.append([{ conversation, from, items: [item('1')] }])
      const [row] = await connection.collection('messages').find({ cid: '1' }).toArray()
      expect([row!.friend, row!.from]).toEqual([conversation, new Types.ObjectId(from)])
      expect((await store.find(conversation, from, ['1']))[0]).toMatchObject({ id: row!._id.toHexString() })
      await store.close()
    })

    it('of before Kithwire are not passed over', async () => {
      const connection = await connect(newUri())
      const { Message } = article(connection)
      await Message.create({ friend: hex(), from: 'ann', to: 'ben', content: 'old' })
      const store = mongo({ connection })
      await expect(store.ready()).rejects.toMatchObject({ code: 'bad_state' })
      await expect(store.ready()).rejects.toThrow('npx kithwire migrate')
      await store.close()
    })

    it('have the names that the app wants', async () => {
      const connection = await connect(newUri())
      const fields = { messages: { conversation: 'room', from: 'author', content: 'text', seq: 'n', to: 'for' } }
      const collections = { messages: 'posts', friends: false } as const
      const store = mongo({ connection, collections, fields })
      await store.append([{ conversation: 'c', from: 'ann', items: [item('1')] }])
      expect(await connection.collection('posts').findOne()).toMatchObject({ room: 'c', author: 'ann', n: 1 })
      expect((await store.read('c', { after: 0, limit: 1 }))[0]).toMatchObject({ from: 'ann', content: 'content of 1' })
      expect(store.friendships).toBeUndefined()
      await store.close()
    })
  })

  describe('the connection', () => {
    it('may be opened later, and stays open', async () => {
      const connection = mongoose.createConnection()
      open.push(connection)
      const store = mongo({ connection })
      const ready = store.ready()
      await connection.openUri(newUri())
      await ready
      await store.close()
      expect(connection.readyState).toBe(1)
    })

    it('may have any defaults of its own', async () => {
      const uri = newUri()
      // With such defaults mongoose makes no indexes.
      const maker = mongo({ connection: await connect(uri) })
      await maker.ready()
      await maker.close()
      const connection = await connect(`${uri}&readPreference=secondaryPreferred&w=0&readConcernLevel=local`)
      const store = mongo({ connection })
      await store.append([{ conversation: 'c', from: 'ann', items: [item('1'), item('1'), item('2')] }])
      expect((await store.heads(['c']))[0]).toMatchObject({ head: 2 })
      await store.close()
    })

    it('of mongoose 5 must have the unified topology', async () => {
      const old = await (mongoose5.createConnection(newUri(), { useNewUrlParser: true } as object) as never)
      const store = mongo({ connection: old })
      await expect(store.ready()).rejects.toThrow('useUnifiedTopology: true')
      await store.close()
      await (old as Connection).close()
    })
  })

  it('reads nothing by an operator', async () => {
    const store = mongo({ connection: await connect(newUri()) })
    await store.append([{ conversation: 'c', from: 'ann', items: [item('1')] }])
    const operator = { $ne: null } as never
    await expect(store.read(operator, { after: 0, limit: 9 })).rejects.toThrow()
    await expect(store.heads([operator])).rejects.toThrow()
    await expect(store.find('c', operator, ['1'])).rejects.toThrow()
    await store.close()
  })
})
