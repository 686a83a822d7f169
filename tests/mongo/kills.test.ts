import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { SeededRandom } from '@kithwire/protocol/testing'
import { WsRouter } from '@kithwire/server'
import { mongo } from '@kithwire/server/mongo'
import mongoose from 'mongoose'
import { describe, expect, it } from 'vitest'
import { Load } from '../faults/load.js'
import { judge, type LogEntry } from '../faults/oracle.js'
import type { Mark } from '../faults/oracle-marks.js'
import { acceptedRow } from '../support/friendship-row.js'
import { Hang, inTime } from '../support/in-time.js'
import { findMongod, MONGOD, MongoSet, withAdmin } from '../support/mongod.js'
import { need } from '../support/need.js'
import { percentiles, report, size } from '../support/report.js'

/** Half of them on a set of one node, half on one of three. */
const KILLS = size('MONGO_KILLS', 6)
const SEED = size('SEED', 1)

/** Ends a primary, and resolves when the set may lose its next one. */
type Fault = (set: MongoSet, random: SeededRandom) => Promise<void>

const kill: Fault = async (set, random) => {
  const primary = await set.primary()
  await delay(random.next() * 25)
  await primary.kill()
  await primary.start()
}

const stepDown: Fault = async (set) => {
  const { address } = await set.primary()
  const command = { replSetStepDown: 3, secondaryCatchUpPeriodSecs: 1, force: true }
  await withAdmin(address, (admin) => admin.command(command))
}

/** A server with clients that write without a pause. */
class World {
  /** The longest time without an acknowledgement since it was set to 0, ms. */
  stall = 0
  readonly load: Load
  private last = performance.now()
  private seen = 0

  private constructor(
    readonly set: MongoSet,
    readonly chat: WsRouter,
    private readonly pairs: readonly (readonly [string, string, string])[],
    private readonly connection: mongoose.Connection,
    private readonly closeServer: () => Promise<void>,
    port: number,
  ) {
    this.load = new Load(`ws://127.0.0.1:${port}/chat/ws`, pairs, 20)
    void this.load.until(() => {
      if (this.load.acknowledged === this.seen) return false
      this.seen = this.load.acknowledged
      this.stall = Math.max(this.stall, performance.now() - this.last)
      this.last = performance.now()
      return false
    })
  }

  static async start(set: MongoSet): Promise<World> {
    const connection = await mongoose.createConnection(set.uri('chat')).asPromise()
    const store = mongo({ connection })
    const id = () => new mongoose.Types.ObjectId().toHexString()
    const pairs = Array.from({ length: 5 }, () => [id(), id(), id()] as const)
    for (const [user1, user2, friendship] of pairs) {
      await store.friendships!.put(acceptedRow(friendship, user1, user2), undefined)
    }
    const many = 1e9
    const limits = { rate: many, burst: many, frameRate: many, frameBurst: many, byteRate: many, byteBurst: many }
    const authenticate = (_: unknown, { token }: { token?: string }) => (token ? { id: token } : null)
    const chat = new WsRouter({ store, authenticate, limits, log: () => {} })
    const server = createServer()
    chat.attach(server, '/chat/ws')
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const close = async () => {
      await chat.close({ drainMs: 0 })
      await new Promise((resolve) => server.close(resolve))
      await store.close()
      await connection.close()
    }
    return new World(set, chat, pairs, connection, close, port)
  }

  /** Resolves when so many more messages are acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.load.acknowledged + count
    await inTime(
      'A wait for acknowledgements',
      this.load.until(() => this.load.acknowledged >= goal),
    )
  }

  /** Everything as MongoDB has it, without the store. */
  async judge(): Promise<{ violations: string[]; entries: number }> {
    const rows = await this.connection.collection('messages').find().toArray()
    const log = rows.map(
      (row): LogEntry => ({ ...(row as unknown as LogEntry), id: String(row._id), conversation: String(row.friend) }),
    )
    const marks = (await this.connection.collection('kithwire_marks').find().toArray()) as unknown as Mark[]
    const violations = judge(log, this.load.made, this.load.views, { marks, told: this.load.told })
    if (log.length !== this.load.made.length)
      violations.push(`I8: ${this.load.made.length} written, ${log.length} in the log`)
    // Nobody's socket was closed: the outage was a wait and nothing else.
    const sockets = this.chat.connections()
    if (sockets !== 2 * this.pairs.length) violations.push(`${sockets} of ${2 * this.pairs.length} sockets are left`)
    return { violations, entries: log.length }
  }

  async close(): Promise<void> {
    this.load.close()
    await this.closeServer()
  }
}

async function run(name: string, nodes: number, faults: readonly Fault[], times: number): Promise<string[]> {
  const start = performance.now()
  const random = new SeededRandom(SEED)
  const set = await MongoSet.start(findMongod()!, nodes)
  const world = await World.start(set)
  const violations: string[] = []
  const stalls: number[] = []
  let hangs = 0
  let entries = 0
  try {
    for (let done = 0; done < times; done++) {
      // Some work between two faults, so that each finds 200 messages in flight.
      await world.more(random.integer(20, 400))
      world.stall = 0
      await inTime('A fault', faults[done % faults.length]!(set, random))
      await world.more(400)
      stalls.push(world.stall)
      await inTime('The set', set.healthy())
    }
    await inTime('The end of the load', world.load.finish())
    const judged = await world.judge()
    violations.push(...judged.violations)
    entries = judged.entries
  } catch (error) {
    if (error instanceof Hang) hangs++
    violations.push(String(error))
  } finally {
    await world.close()
    await set.remove()
  }
  const details = { entries, stallMs: percentiles(stalls) }
  const seconds = (performance.now() - start) / 1_000
  report({ name, runs: stalls.length, violations: violations.length, hangs, seconds, details })
  console.log(`${name}: ${stalls.length} times in ${seconds.toFixed(0)} s: ${JSON.stringify(details)}`)
  return violations.slice(0, 20)
}

describe('under load', () => {
  it('kill -9 of mongod loses nothing, doubles nothing, reorders nothing', {
    timeout: 60_000 + KILLS * 60_000,
  }, async (context) => {
    need(context, findMongod(), MONGOD)
    expect(await run('kill -9 of mongod, a set of one node', 1, [kill], Math.ceil(KILLS / 2))).toEqual([])
  })

  it('nor does the end of the primary of three', { timeout: 60_000 + KILLS * 60_000 }, async (context) => {
    need(context, findMongod(), MONGOD)
    const name = 'kill -9 and step-down of the primary, a set of three nodes'
    expect(await run(name, 3, [kill, stepDown], Math.ceil(KILLS / 2))).toEqual([])
  })
})
