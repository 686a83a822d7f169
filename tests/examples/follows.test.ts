import { WsRequest } from '@kithwire/client'
import { friendshipsConformance } from '@kithwire/server/testing'
import mongoose from 'mongoose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Follow } from '../../examples/follows/follow.js'
import { friendships } from '../../examples/follows/friendships.js'
import { withMongod } from '../mongo/bench.js'
import { startExample } from '../support/example.js'

const hex = () => new mongoose.Types.ObjectId().toHexString()

withMongod('an app whose users follow each other', 'replica set', ({ newUri }) => {
  let uri: string
  beforeAll(async () => {
    uri = newUri()
    await mongoose.connect(uri)
    await Follow.init()
  })
  afterAll(() => mongoose.disconnect())

  friendshipsConformance({
    describe,
    it,
    name: 'its own graph',
    users: Array.from({ length: 4 }, hex),
    open: async () => {
      await Follow.deleteMany()
      return {
        friendships,
        befriend: async (one, other) => {
          await Follow.create({ follower: one, followee: other })
          expect(await friendships.of(other)).not.toContainEqual(expect.objectContaining({ members: [other, one] }))
          await Follow.create({ follower: other, followee: one })
          return one < other ? `${one}_${other}` : `${other}_${one}`
        },
        part: async (conversation) => {
          const [follower, followee] = conversation.split('_')
          await Follow.deleteOne({ follower, followee })
        },
      }
    },
  })

  it('they chat while both follow, from the moment on', async () => {
    const server = await startExample('follows', { MONGODB_URI: uri })
    const [ann, ben] = [hex(), hex()]
    const follow = async (method: 'PUT' | 'DELETE', who: string, whom: string) => {
      const headers = { authorization: `Bearer ${who}` }
      const answer = await fetch(`${server.address}/follows/${whom}`, { method, headers })
      return (await answer.json()) as { conversation: string; open: boolean }
    }
    const url = `${server.address.replace('http', 'ws')}/chat/ws`
    const clients = [ann, ben].map((token) => new WsRequest(url, { token }))
    const shown = new Promise<string>((resolve) => clients[1]!.onMessage(({ content }) => resolve(content)))
    try {
      const { conversation, open } = await follow('PUT', ann, ben)
      expect(open).toBe(false)
      await expect(clients[0]!.send({ conversation, content: 'too early' })).rejects.toMatchObject({
        code: 'not_found',
      })
      expect(await follow('PUT', ben, ann)).toEqual({ conversation, open: true })
      expect(await clients[0]!.send({ conversation, content: 'hello' })).toMatchObject({ seq: 1 })
      expect(await shown).toBe('hello')
      expect(await mongoose.connection.collection('messages').findOne()).toMatchObject({
        friend: conversation,
        from: ann,
      })
      await follow('DELETE', ben, ann)
      await expect(clients[0]!.send({ conversation, content: 'too late' })).rejects.toMatchObject({ code: 'not_found' })
    } finally {
      await Promise.all(clients.map((client) => client.close()))
      expect(await server.stop()).toEqual({ code: 0, signal: null })
    }
  })
})
