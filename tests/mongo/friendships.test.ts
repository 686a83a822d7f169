import { StoredFriendships } from '@kithwire/server'
import { type MongoStore, mongo } from '@kithwire/server/mongo'
import { friendshipsConformance } from '@kithwire/server/testing'
import mongoose, { type Connection } from 'mongoose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withMongod } from './bench.js'

const { Types } = mongoose
const id = () => new Types.ObjectId()
const hex = () => id().toHexString()

withMongod("friendships in the article's collection", 'replica set', ({ newUri }) => {
  let connection: Connection
  let store: MongoStore
  let friendships: StoredFriendships
  beforeEach(async () => {
    connection = await mongoose.createConnection(newUri()).asPromise()
    store = mongo({ connection })
    friendships = new StoredFriendships(store.friendships!)
  })
  afterEach(async () => {
    await store.close()
    await connection.dropDatabase()
    await connection.close()
  })
  const friends = () => connection.collection('friends')

  friendshipsConformance({
    describe,
    it,
    name: 'of Kithwire, kept in it',
    open: async () => ({
      friendships,
      befriend: async (one, other) => {
        const { id } = await friendships.request(one, other)
        return (await friendships.accept(other, id)).id
      },
      part: async (conversation) =>
        void (await friendships.remove((await friendships.members(conversation))![0]!, conversation)),
    }),
  })

  it.each(['as the article has it', 'the other way round'])('of before Kithwire are open: %s', async (order) => {
    const [lower, higher] = [id(), id()]
    const [user1, user2] = order === 'as the article has it' ? [lower, higher] : [higher, lower]
    const { insertedId } = await friends().insertOne({ user1, user2 })
    const [conversation, one, other] = [insertedId, user1, user2].map(String) as [string, string, string]
    expect(await friendships.members(conversation)).toEqual([one, other])
    for (const user of [one, other]) {
      expect(await friendships.of(user)).toEqual([{ conversation, members: [one, other] }])
      expect(await friendships.list(user)).toMatchObject([{ id: conversation, state: 'accepted', blockedBy: [] }])
    }
    expect(await friendships.between(other, one)).toMatchObject({
      user: one,
      createdAt: insertedId.getTimestamp().getTime(),
    })
    expect(await friendships.request(other, one)).toMatchObject({ id: conversation, state: 'accepted' })
    expect(await friends().countDocuments()).toBe(1)
  })

  it('of before Kithwire are blocked and ended as others are, and stay what the app knows', async () => {
    const [user1, user2] = [id(), id()]
    const { insertedId } = await friends().insertOne({ user1, user2, nickname: 'bro' })
    const [conversation, one, other] = [insertedId, user1, user2].map(String) as [string, string, string]
    await friendships.block(other, conversation)
    expect(await friendships.members(conversation)).toBeNull()
    expect(await friendships.refusal(conversation, one)).toBe('blocked')
    await friendships.unblock(other, conversation)
    await friendships.remove(one, conversation)
    expect(await friendships.request(other, one)).toMatchObject({ id: conversation, state: 'pending' })
    expect(await friends().findOne()).toMatchObject({
      _id: insertedId,
      user1,
      user2,
      nickname: 'bro',
      state: 'pending',
    })
  })

  it('that stand there in both orders are one, the older, in every process', async () => {
    const [user1, user2] = [id(), id()]
    const older = await friends().insertOne({ user1, user2 })
    await friends().insertOne({ user1: user2, user2: user1 })
    const [one, other] = [String(user1), String(user2)]
    for (const [a, b] of [
      [one, other],
      [other, one],
    ] as const)
      expect(await friendships.between(a, b)).toMatchObject({ id: String(older.insertedId) })
    // Each of them can be changed, though only one can have the key of the pair.
    for (const { id } of await friendships.list(one)) await friendships.block(one, id)
    expect((await friendships.list(one)).map(({ blockedBy }) => blockedBy)).toEqual([[one], [one]])
  })

  it('new ones have ids and users that the app can refer to', async () => {
    const [one, other] = [hex(), hex()]
    const { id: conversation } = await friendships.request(one, other)
    expect(await friends().findOne()).toMatchObject({
      _id: new Types.ObjectId(conversation),
      requester: new Types.ObjectId(one),
      user1: expect.any(Types.ObjectId),
      user2: expect.any(Types.ObjectId),
    })
  })

  it('of an app with other names', async () => {
    await store.close()
    const fields = { friends: { user1: 'from', user2: 'to', state: 'status' } }
    store = mongo({ connection, collections: { friends: 'contacts' }, fields, types: { user: 'string' } })
    const [from, to] = [hex(), hex()]
    const { insertedId } = await connection.collection('contacts').insertOne({ from, to, status: 'accepted' })
    friendships = new StoredFriendships(store.friendships!)
    expect(await friendships.members(String(insertedId))).toEqual([from, to])
    await friendships.remove(from, String(insertedId))
    expect(await connection.collection('contacts').findOne()).toMatchObject({ from, to, status: 'removed', version: 2 })
  })
})
