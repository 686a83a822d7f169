import { mongo } from '@kithwire/server/mongo'
import mongoose from 'mongoose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findMongod, MONGOD, Mongod, MongoSet } from '../support/mongod.js'
import { need } from '../support/need.js'
import { findings, kithwire, lines, start } from './kithwire.js'
import {
  type Client,
  type Collection,
  connect,
  expectedOf,
  foundOf,
  gapsOf,
  numberedOf,
  writeOldRows,
} from './old-rows.js'

const binary = findMongod()
let set: MongoSet | undefined
let client: Client
let rows: Collection
let uri: string
let databases = 0

beforeAll(async () => {
  if (binary) set = await MongoSet.start(binary)
})
afterAll(() => set?.remove())
beforeEach(async (context) => {
  need(context, binary, MONGOD)
  uri = set!.uri(`app${++databases}`)
  client = await connect(uri)
  rows = client.db().collection('messages')
})
afterEach(() => client?.close())

const migrate = (...args: string[]) => kithwire(['migrate', ...args], { MONGO_URL: uri })
const { ObjectId } = mongoose.mongo
const OLD = '5d1328295793f14020a979d5'

describe('kithwire migrate', () => {
  it('counts, and changes nothing with --dry-run', async () => {
    await writeOldRows(rows, 300, 3)
    const before = await rows.find().toArray()
    const { code, stdout } = await migrate('--dry-run')
    expect([code, stdout]).toEqual([0, expect.stringContaining('messages: 300 rows, of which 0 have a number.')])
    expect(stdout).toMatch(
      /300 rows of 3 conversations get one\.\n\d+ of them have no time and get that of their _id\./,
    )
    expect(await rows.find().toArray()).toEqual(before)
    expect(await rows.listIndexes().toArray()).toHaveLength(1)
  })

  it('makes what Kithwire reads, in order, and goes on from; what the old app reads stays', async () => {
    await writeOldRows(rows, 500, 1)
    const friend = (await rows.findOne())!.friend
    const old = await rows.find().project({ seq: 0, cid: 0, createdAt: 0 }).toArray()
    const connection = mongoose.createConnection(uri)
    const early = mongo({ connection })
    await expect(early.ready()).rejects.toThrow('npx kithwire migrate')
    await early.close()
    // As an app's own address may have it.
    const address = `${uri}&readPreference=secondary&w=0`
    expect(await kithwire(['migrate'], { MONGO_URL: address })).toMatchObject({ code: 0, stderr: '' })
    expect(await rows.find().project({ seq: 0, cid: 0, createdAt: 0 }).toArray()).toEqual(old)
    const store = mongo({ connection })
    const sent = { conversation: String(friend), from: 'ann', items: [{ cid: 'new', type: 'text', content: 'new' }] }
    expect(await store.append([sent])).toMatchObject([{ stored: [{ seq: 501 }] }])
    const entries = await store.read(String(friend), { after: 0, limit: 1_000 })
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 501 }, (_, index) => index + 1))
    const times = entries.map(({ createdAt }) => createdAt)
    expect(times).toEqual([...times].sort((one, other) => one - other))
    await store.close()
    await connection.close()
    expect((await migrate('--verify')).stdout).toContain('✓ 501 rows of 1 conversations are in order.')
  })

  it('lets what is old count as read, and nothing that came later, however often it runs', async () => {
    await writeOldRows(rows, 200, 2)
    const [friend, other] = await rows.distinct('friend')
    expect((await migrate()).stdout).toContain('2 conversations begin as read')
    const connection = mongoose.createConnection(uri)
    const store = mongo({ connection })
    const c = String(friend)
    const users = [...new Set([...(await rows.distinct('from')), ...(await rows.distinct('to'))])].map(String)
    const unread = async () => {
      const { head } = (await store.heads([c]))[0]!
      const marks = await store.marks([c])
      const ranges = marks.map(({ user, read }) => ({ conversation: c, after: read, to: head, except: user }))
      return Object.fromEntries((await store.count(ranges)).map((count, index) => [marks[index]!.user, count]))
    }
    const before = await unread()
    expect(Object.keys(before).length).toBeGreaterThan(0)
    expect(users).toEqual(expect.arrayContaining(Object.keys(before)))
    expect(new Set(Object.values(before))).toEqual(new Set([0]))
    const [from] = Object.keys(before)
    await store.append([{ conversation: c, from: from!, items: [{ cid: 'new', type: 'text', content: 'new' }] }])
    const after = await unread()
    expect(after[from!]).toBe(0)
    expect(Object.values(after).filter((count) => count === 1)).toHaveLength(Object.keys(after).length - 1)
    const again = await migrate()
    expect([again.code, again.stdout]).toEqual([0, expect.not.stringContaining('begin as read')])
    expect(await unread()).toEqual(after)
    expect((await store.marks([String(other)])).length).toBeGreaterThan(0)
    await store.close()
    await connection.close()
  })

  it('lets two of it, the old app and Kithwire work at the same time', async () => {
    await writeOldRows(rows, 4_000, 40)
    const friends = await rows.distinct('friend')
    const runs = [
      start(['migrate', '--batch', '50'], { MONGO_URL: uri }),
      start(['migrate', '--batch', '70'], { MONGO_URL: uri }),
    ]
    let running = true
    void Promise.all(runs.map(({ ended }) => ended)).then(() => {
      running = false
    })
    let [added, removed] = [0, 0]
    for (let turn = 0; running; turn++) {
      const friend = friends[turn % friends.length]
      // The old app.
      await rows.insertOne({ friend, from: 'ann', to: 'ben', content: `old ${turn}` })
      added++
      if (turn % 3 === 0 && (await rows.deleteOne({ friend, seq: null })).deletedCount === 1) removed++
      if ((await numberedOf(rows)) === 0) continue
      // Kithwire: behind the head, and anew if somebody was faster.
      const [head] = await rows
        .find({ friend, seq: { $gt: 0 } })
        .sort({ seq: -1 })
        .limit(1)
        .toArray()
      const entry = { friend, from: 'ben', cid: `new-${turn}`, seq: (head?.seq ?? 0) + 1, createdAt: new Date() }
      await rows.insertOne(entry).then(
        () => added++,
        () => {},
      )
    }
    for (const { code, stdout } of await Promise.all(runs.map(({ ended }) => ended))) {
      // Rows may have come after its last look.
      if (code !== 0) expect(stdout).toMatch(/rows have no number/)
    }
    expect(await gapsOf(rows)).toEqual([])
    const { code, stdout } = await migrate()
    expect([code, stdout]).toEqual([0, expect.stringContaining('✓')])
    expect(await gapsOf(rows)).toEqual([])
    expect(await rows.countDocuments({ seq: null })).toBe(0)
    expect(await rows.countDocuments()).toBe(4_000 + added - removed)
  })

  it('stops at Ctrl-C with 130, and goes on', async () => {
    await writeOldRows(rows, 6_000, 10)
    const expected = await expectedOf(rows)
    const run = start(['migrate', '--batch', '20'], { MONGO_URL: uri })
    while ((await numberedOf(rows)) === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    run.child.kill('SIGINT')
    expect(await run.ended).toMatchObject({
      code: 130,
      stdout: expect.stringContaining('Run the same again to go on.'),
    })
    expect(await numberedOf(rows)).toBeLessThan(6_000)
    expect((await migrate()).code).toBe(0)
    expect(await foundOf(rows)).toEqual(expected)
  })

  it('uses other names, and leaves what it cannot place', async () => {
    const chat = new ObjectId()
    const row = { chat, sender: 'ann', text: 'x' }
    const posts = client.db().collection('posts')
    await posts.insertMany([
      { ...row, at: '2020-01-02T00:00:00Z' },
      { ...row, at: 1_577_836_800_000 },
      { ...row, at: 'yesterday', _id: new ObjectId(OLD) as never },
      { ...row, chat: null },
      { ...row, sender: '' },
      { ...row, type: 'Big Type' },
      { ...row, _id: 'an id with spaces' as never },
    ])
    const given = ['--collection', 'posts', '--fields', 'conversation=chat,from=sender,createdAt=at,seq=place']
    const { code, stdout } = await migrate(...given)
    expect([code, stdout]).toEqual([0, expect.stringContaining('✓ 3 rows of 1 conversations are in order.')])
    expect(stdout).toContain('! 4 rows lack an _id, a conversation, a sender or a type that clients can read')
    expect(lines(await findings('--mongo', uri, ...given))).toContain('rows good: every message has its place')
    const connection = mongoose.createConnection(uri)
    const messages = { conversation: 'chat', from: 'sender', content: 'text', createdAt: 'at', seq: 'place' }
    const store = mongo({ connection, collections: { messages: 'posts' }, fields: { messages } })
    const entries = await store.read(String(chat), { after: 0, limit: 9 })
    expect(entries.map(({ seq, from, createdAt }) => [seq, from, createdAt])).toEqual([
      [1, 'ann', new ObjectId(OLD).getTimestamp().getTime()],
      [2, 'ann', 1_577_836_800_000],
      [3, 'ann', Date.parse('2020-01-02T00:00:00Z')],
    ])
    await store.close()
    await connection.close()
  })

  it('says no to a field seq of the app itself, and tells what --verify finds', async () => {
    const friend = new ObjectId()
    const row = { friend, from: 'ann', content: 'x' }
    await rows.insertMany([{ ...row, seq: 5 }, { ...row, seq: 7, cid: 'x' }, row])
    const { code, stderr } = await migrate()
    expect([code, stderr]).toEqual([1, expect.stringContaining('Is `seq` a field of your own?')])
    const verified = await migrate('--verify')
    expect(verified.code).toBe(1)
    for (const text of ['Gaps: 2', 'without a usable cid: 1', 'without a time: 2', '1 rows have no number'])
      expect(verified.stdout).toContain(text)
  })
})

describe('kithwire doctor', () => {
  it('finds rows, indexes and the server', async () => {
    await writeOldRows(rows, 10, 1)
    expect(lines(await findings('--mongo', uri))).toEqual([
      'mongo good: a replica set',
      'indexes problem: unique on friend, seq: there is none, so entries could be doubled',
      'indexes problem: unique on friend, from, cid: there is none, so entries could be doubled',
      'rows warning: 10 messages have no place, and nobody sees them',
      'clock good: the clock of MongoDB agrees with this one',
    ])
    await rows.createIndex({ friend: 1, seq: 1 })
    await rows.createIndex(
      { friend: 1, from: 1, cid: 1 },
      { unique: true, partialFilterExpression: { cid: { $exists: true } } },
    )
    const wrong = await findings('--mongo', uri)
    expect(lines(wrong).slice(1, 3)).toEqual([
      'indexes problem: unique on friend, seq: it is not unique, so entries could be doubled',
      'indexes problem: unique on friend, from, cid: it has another filter, so entries could be doubled',
    ])
    expect(wrong[1]!.advice).toMatch(/dropIndex\("friend_1_seq_1"\), then db\.getCollection\("messages"\)\.createIndex/)
    await rows.dropIndexes()
    await migrate()
    expect((await findings('--mongo', uri)).map(({ state }) => state)).toEqual(Array(5).fill('good'))
  })

  it('tells a database that is not there, without its password', async () => {
    const gone = 'mongodb://ann:secret@127.0.0.1:9/app'
    const { code, stdout, stderr } = await kithwire(['doctor', '--mongo', gone])
    expect([code, stdout]).toEqual([1, expect.stringContaining('✗ mongo      no connection')])
    expect(stdout + stderr).not.toContain('secret')
  })
})

describe('a standalone server', () => {
  let standalone: Mongod | undefined
  afterEach(() => standalone?.remove())

  it('is found, refused, and migrated when that is typed out', async () => {
    standalone = await Mongod.start(binary!, undefined)
    uri = standalone.uri('app')
    const alone = await connect(uri)
    const old = alone.db().collection('messages')
    await writeOldRows(old, 1_000, 20)
    const expected = await expectedOf(old)
    expect(lines(await findings('--mongo', uri))[0]).toMatch(/^mongo problem: a standalone server/)
    const refused = await migrate()
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('rs.initiate()')])
    expect((await migrate('--standalone')).code).toBe(0)
    expect(await foundOf(old)).toEqual(expected)
    await alone.close()
  })
})
