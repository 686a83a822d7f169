import { mongo } from '@kithwire/server/mongo'
import mongoose, { type Connection } from 'mongoose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { acceptedRow } from '../support/friendship-row.js'
import { withMongod } from './bench.js'

interface Plan {
  stage?: string
  indexName?: string
  [more: string]: unknown
}

type Command = Record<string, unknown>

/** Everything with a stage in what `explain` says, however deep. */
function stages(value: unknown): Plan[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.entries(value).flatMap(([key, one]) => (key === 'rejectedPlans' ? [] : stages(one)))
  return 'stage' in value ? [value as Plan, ...inner] : inner
}

const statistics = (value: unknown): { keys: number; docs: number } => {
  const text = JSON.stringify(value)
  const most = (name: string) =>
    Math.max(...[...text.matchAll(new RegExp(`"${name}":(\\d+)`, 'g'))].map(([, number]) => Number(number)))
  return { keys: most('totalKeysExamined'), docs: most('totalDocsExamined') }
}

withMongod('what the store asks MongoDB', 'replica set', ({ newUri }) => {
  let connection: Connection
  let store: ReturnType<typeof mongo>
  const sent: Command[] = []
  const friend = (n: number) => new mongoose.Types.ObjectId(n.toString(16).padStart(24, '0')).toHexString()

  beforeAll(async () => {
    connection = await mongoose.createConnection(newUri()).asPromise()
    store = mongo({ connection })
    // 60 conversations of 50 entries, and 60 friendships of one user.
    for (let n = 0; n < 60; n++) {
      const items = Array.from({ length: 50 }, (_, seq) => ({ cid: `${n}-${seq}`, type: 'text', content: 'x' }))
      await store.append([{ conversation: friend(n), from: n % 2 ? 'ann' : 'ben', items }])
      const [user1, user2] = n % 2 ? [friend(1_000), friend(n)] : [friend(n), friend(1_000)]
      await store.friendships!.put(acceptedRow(friend(n), user1, user2), undefined)
      await store.mark([{ conversation: friend(n), user: 'ann', delivered: 5, read: 5 }])
    }
    const db = connection.db!
    const command = db.command.bind(db)
    db.command = (one, options) => {
      sent.push(one)
      return command(one, options)
    }
  })
  afterAll(async () => {
    await store.close()
    await connection.close()
  })

  /** How the one question about `collection` that `call` asks is answered. */
  async function explain(collection: string, call: () => Promise<unknown>) {
    sent.length = 0
    await call()
    const [asked, ...more] = sent.filter(({ find, aggregate }) => (find ?? aggregate) === collection)
    expect(more).toEqual([])
    const { readConcern: _, ...command } = asked!
    const said = await connection.db!.command({ explain: command, verbosity: 'executionStats' })
    const found = stages(said)
    return {
      stages: new Set(found.map(({ stage }) => stage)),
      indexes: [...new Set(found.map(({ indexName }) => indexName).filter(Boolean))],
      ...statistics(said),
    }
  }

  const cases: [string, string, () => Promise<unknown>, string[], number][] = [
    ['history', 'messages', () => store.read(friend(7), { before: 41, limit: 20 }), ['friend_1_seq_1'], 20],
    ['catch-up', 'messages', () => store.read(friend(7), { after: 20, limit: 20 }), ['friend_1_seq_1'], 20],
    ['a tail', 'messages', () => store.tail(friend(7), 20), ['friend_1_seq_1'], 1],
    ['heads', 'messages', () => store.heads([friend(7), friend(8), friend(999)]), ['friend_1_seq_1'], 2],
    [
      'heads of 60',
      'messages',
      () => store.heads(Array.from({ length: 60 }, (_, n) => friend(n))),
      ['friend_1_seq_1'],
      60,
    ],
    ['cids', 'messages', () => store.find(friend(7), 'ann', ['7-3', '7-4', 'no']), ['friend_1_from_1_cid_1'], 2],
    ['marks', 'kithwire_marks', () => store.marks([friend(7), friend(8)]), ['conversation_1_user_1'], 2],
    ['a pair', 'friends', () => store.friendships!.between(friend(1_000), friend(7)), ['user1_1_user2_1'], 1],
    ['friends', 'friends', () => store.friendships!.of(friend(1_000)), ['user1_1_user2_1', 'user2_1'], 60],
  ]

  it.each(cases)('%s', async (_name, collection, call, indexes, docs) => {
    const plan = await explain(collection, call)
    expect(plan.stages).not.toContain('COLLSCAN')
    expect(plan.stages).not.toContain('SORT')
    expect(plan.indexes.sort()).toEqual(indexes)
    expect(plan.docs).toBeLessThanOrEqual(docs)
    // A key more for each place at which the index is entered.
    expect(plan.keys).toBeLessThanOrEqual(2 * docs + 4)
  })

  it('notices a scan of the whole collection', async () => {
    const plan = await explain('messages', () => connection.db!.command({ find: 'messages', filter: { content: 'x' } }))
    expect(plan.stages).toContain('COLLSCAN')
    expect(plan.docs).toBe(3_000)
  })
})
