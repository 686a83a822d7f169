import { systemRuntime } from '@kithwire/protocol'
import { Core, type Friendships } from '@kithwire/server'
import { mongo } from '@kithwire/server/mongo'
import mongoose, { type Connection } from 'mongoose'
import { expect, it } from 'vitest'
import { withMongod } from './bench.js'

/** How long each way writes, ms. The figures of a short run say little; the nightly one takes 20 s. */
const BENCH_MS = Number(process.env.MONGO_BENCH_MS ?? 1_000)
const PAIRS = 8

const pairs = Array.from({ length: PAIRS }, () => {
  const id = () => new mongoose.Types.ObjectId().toHexString()
  return { conversation: id(), members: [id(), id()] as const }
})
const friendships: Friendships = {
  members: async (id) => pairs.find(({ conversation }) => conversation === id)?.members ?? null,
  of: async () => [],
}

/** What the article does with a message, made durable. */
function plain(connection: Connection) {
  const { Schema } = mongoose
  const schema = new Schema(
    {
      friend: { type: Schema.Types.ObjectId, ref: 'Friend', required: true },
      from: String,
      to: String,
      content: String,
      type: { type: String, default: 'text' },
    },
    { writeConcern: { w: 'majority', j: true } },
  )
  const Message = connection.model('Message', schema)
  return (friend: string, from: string, to: string, content: string) =>
    new Message({ friend, from, to, content }).save()
}

function kithwire(connection: Connection) {
  const store = mongo({ connection, collections: { messages: 'entries', friends: false } })
  const core = new Core({ runtime: systemRuntime, store, friendships, limits: { rate: 1e6, burst: 1e6 } })
  return {
    send: (conversation: string, from: string, _to: string, content: string) =>
      core.send({ conversation, from, items: [{ cid: crypto.randomUUID(), type: 'text', content }] }),
    close: async () => {
      await core.close()
      await store.close()
    },
  }
}

type Way = ReturnType<typeof plain> | ReturnType<typeof kithwire>['send']

/** Every user keeps `inFlight` messages of 100 characters under way. */
async function measure(way: Way, inFlight: number) {
  const content = 'x'.repeat(100)
  let count = 0
  const end = performance.now() + BENCH_MS
  const before = process.cpuUsage()
  const writer = async (conversation: string, from: string, to: string) => {
    while (performance.now() < end) {
      await way(conversation, from, to, content)
      count++
    }
  }
  const start = performance.now()
  await Promise.all(
    pairs.flatMap(({ conversation, members: [one, other] }) =>
      Array.from({ length: inFlight }, () => [
        writer(conversation, one, other),
        writer(conversation, other, one),
      ]).flat(),
    ),
  )
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - start) / 1_000
  return { perSecond: count / seconds, cpuMicroseconds: (user + system) / count }
}

withMongod('throughput on MongoDB', 'replica set', ({ newUri }) => {
  it.each([1, 16])(
    '%i in flight per user, beside plain saves',
    async (inFlight) => {
      const connection = await mongoose.createConnection(newUri()).asPromise()
      const ours = kithwire(connection)
      const save = plain(connection)
      const rounds: Record<'save' | 'kithwire', Awaited<ReturnType<typeof measure>>>[] = []
      // In turns, so that what else the machine does falls on both.
      for (let round = 0; round < 3; round++)
        rounds.push({ save: await measure(save, inFlight), kithwire: await measure(ours.send, inFlight) })
      const middle = (values: number[]) => values.sort((a, b) => a - b)[1]!
      const line = (name: 'save' | 'kithwire') => ({
        perSecond: Math.round(middle(rounds.map((round) => round[name].perSecond))),
        cpuMicroseconds: Math.round(middle(rounds.map((round) => round[name].cpuMicroseconds))),
      })
      const ratio = middle(rounds.map((round) => round.kithwire.perSecond / round.save.perSecond))
      console.log(
        `MongoDB, ${2 * PAIRS} users, ${inFlight} in flight: plain save ${JSON.stringify(line('save'))}, ` +
          `Kithwire ${JSON.stringify(line('kithwire'))}, ${ratio.toFixed(1)} times the throughput`,
      )
      expect(rounds).toHaveLength(3)
      await ours.close()
      await connection.dropDatabase()
      await connection.close()
    },
    600_000,
  )
})
