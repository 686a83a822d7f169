import mongoose from 'mongoose'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { kithwire } from '../cli/kithwire.js'
import { type Client, connect as connectTo } from '../cli/old-rows.js'
import { BareClient, type BareMessage } from '../support/bare-client.js'
import { type Example, startExample } from '../support/example.js'
import { findMongod, MONGOD, MongoSet } from '../support/mongod.js'
import { need } from '../support/need.js'

const FRIEND = '5d1328295793f14020a979d5'
const JEFFERY = '5d1327c65793f14020a979ca'
const TESTUSER = '5d1328065793f14020a979cf'
const { ObjectId } = mongoose.mongo

const binary = findMongod()
let set: MongoSet | undefined
let uri: string
let client: Client
let server: Example | undefined
let databases = 0

beforeAll(async () => {
  if (binary) set = await MongoSet.start(binary)
})
afterAll(() => set?.remove())
beforeEach(async (context) => {
  need(context, binary, MONGOD)
  uri = set!.uri(`article${++databases}`)
  client = await connectTo(uri)
})
afterEach(async () => {
  await server?.stop('SIGKILL')
  await client?.close()
})

const start = async () => {
  server = await startExample('inversify', { MONGO_URL: uri })
  return server
}
const connect = (user: string) => BareClient.open(`${server!.address.replace('http', 'ws')}/ws/${user}`)
const frame = (from: string, to: string, content: string) => ({ friend: FRIEND, from, to, content, type: 'text' })
const get = (path: string) => fetch(`${server!.address}${path}`)
const history = async () =>
  (await (await get(`/messages/${JEFFERY}?friendId=${FRIEND}`)).json()) as (BareMessage & { createdAt: string })[]

it("two clients chat by the article's JSON, and its own models read what they wrote", async () => {
  await start()
  const [jeffery, testuser] = [await connect(JEFFERY), await connect(TESTUSER)]
  jeffery.send(frame(JEFFERY, TESTUSER, '你好呀,testuser'))
  const [asked] = await testuser.atLeast(1)
  expect(asked).toEqual({
    ...frame(JEFFERY, TESTUSER, '你好呀,testuser'),
    _id: expect.stringMatching(/^[0-9a-f]{24}$/),
    createdAt: expect.any(Number),
    seq: 1,
  })
  testuser.send(frame(TESTUSER, JEFFERY, '嗯嗯'))
  const [answered] = await jeffery.atLeast(1)
  expect((await history()).map(({ _id, from, to, content, type }) => [_id, from, to, content, type])).toEqual(
    [asked!, answered!].map(({ _id, from, to, content, type }) => [_id, from, to, content, type]),
  )
  expect((await get(`/messages/${JEFFERY}?friendId[$ne]=x`)).status).toBe(400)
  expect((await get(`/messages/${new ObjectId()}?friendId=${FRIEND}`)).status).toBe(404)
})

it('survives kill -9 and a restart, and ends by SIGTERM', async () => {
  await start()
  let [jeffery, testuser] = [await connect(JEFFERY), await connect(TESTUSER)]
  for (let index = 0; index < 60; index++) jeffery.send(frame(JEFFERY, TESTUSER, `message ${index}`))
  await testuser.atLeast(20)
  await server!.stop('SIGKILL')
  await Promise.all([jeffery.closed, testuser.closed])
  await start()
  const kept = await history()
  expect(kept.slice(0, testuser.received.length).map(({ _id }) => _id)).toEqual(testuser.received.map(({ _id }) => _id))
  expect(kept.map(({ seq, content }) => [seq, content])).toEqual(
    kept.map((_, index) => [index + 1, `message ${index}`]),
  )
  ;[jeffery, testuser] = [await connect(JEFFERY), await connect(TESTUSER)]
  jeffery.send(frame(JEFFERY, TESTUSER, 'after'))
  expect(await testuser.atLeast(1)).toMatchObject([{ content: 'after', seq: kept.length + 1 }])
  expect(await server!.stop('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await testuser.closed).toBe(1012)
})

it('takes over a database that has messages, once it is migrated', async () => {
  const messages = client.db().collection('messages')
  const old = Array.from({ length: 30 }, (_, index) => ({
    friend: new ObjectId(FRIEND),
    ...(index % 2 ? { from: JEFFERY, to: TESTUSER } : { from: TESTUSER, to: JEFFERY }),
    content: `old ${index}`,
    type: 'text',
    __v: 0,
  }))
  await messages.insertMany(old)
  await expect(start()).rejects.toThrow('npx kithwire migrate')
  expect((await kithwire(['migrate'], { MONGO_URL: uri })).code).toBe(0)
  const { port } = await start()
  const [jeffery, testuser] = [await connect(JEFFERY), await connect(TESTUSER)]
  jeffery.send(frame(JEFFERY, TESTUSER, 'new'))
  expect(await testuser.atLeast(1)).toMatchObject([{ content: 'new', seq: 31 }])
  expect((await history()).map(({ content }) => content)).toEqual([...old.map(({ content }) => content), 'new'])
  const url = `http://127.0.0.1:${port}/ws/:id`
  const { code, stdout } = await kithwire(['doctor', '--url', url], { MONGO_URL: uri })
  expect([code, stdout]).toEqual([0, expect.stringContaining('✓ rows       every message has its place')])
})
