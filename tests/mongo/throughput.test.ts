import { systemRuntime } from '@kithwire/protocol'
import { Core, type Friendships } from '@kithwire/server'
import { mongo } from '@kithwire/server/mongo'
import mongoose, { type Connection } from 'mongoose'
import { expect, it } from 'vitest'
import { withMongod } from './bench.js'

/** How long each way writes, ms. The figures of a short run say little. */
const BENCH_MS = Number(process.env.MONGO_BENCH_MS ?? 500)
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
async function measure(way: Way, inFlight: number, mongodMs: () => number) {
  const content = 'x'.repeat(100)
  let count = 0
  const end = performance.now() + BENCH_MS
  const before = process.cpuUsage()
  const mongodBefore = mongodMs()
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
  return {
    perSecond: count / seconds,
    /** Of this process, with the driver and all that is above it. */
    nodeMicroseconds: (user + system) / count,
    mongodMicroseconds: ((mongodMs() - mongodBefore) * 1_000) / count,
  }
}

const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!

withMongod('throughput on MongoDB', 'replica set', ({ newUri, cpuMs }) => {
  it.each([1, 16])(
    '%i in flight per user, beside plain saves',
    { timeout: 60_000 + 7 * BENCH_MS },
    async (inFlight) => {
      const connection = await mongoose.createConnection(newUri()).asPromise()
      const ours = kithwire(connection)
      const save = plain(connection)
      type Figures = Awaited<ReturnType<typeof measure>>
      const rounds: { save: Figures; kithwire: Figures }[] = []
      // In turns, so that what else the machine does falls on both.
      for (let round = 0; round < 3; round++)
        rounds.push({
          save: await measure(save, inFlight, cpuMs),
          kithwire: await measure(ours.send, inFlight, cpuMs),
        })
      const figures = (name: 'save' | 'kithwire') =>
        (['perSecond', 'nodeMicroseconds', 'mongodMicroseconds'] as const)
          .map((figure) => `${figure} ${Math.round(middle(rounds.map((round) => round[name][figure])))}`)
          .join(', ')
      const ratio = middle(rounds.map((round) => round.kithwire.perSecond / round.save.perSecond))
      console.log(`MongoDB, ${2 * PAIRS} users, ${inFlight} in flight each, medians of 3 rounds of ${BENCH_MS} ms
  plain save: ${figures('save')}
  Kithwire:   ${figures('kithwire')}
  ${ratio.toFixed(1)} times the throughput`)
      // How fast it was is told, not tested: the machine may have had something else to do.
      expect(rounds).toHaveLength(3)
      await ours.close()
      await connection.dropDatabase()
      await connection.close()
    },
  )
})
