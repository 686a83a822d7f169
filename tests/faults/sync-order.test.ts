import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.js'
import { findCommand, need } from '../support/need.js'
import { report, size } from '../support/report.js'
import { seedFriends } from './friends.js'
import { KilledServer } from './killed-server.js'
import { Load } from './load.js'
import { straceTo } from './strace.js'
import { checkSyncOrder, type SyncOrder } from './sync-order.js'

const MESSAGES = size('MESSAGES', 200)

/** A system on which strace may not look at processes has none. */
const strace = findCommand(['strace'], ['-f', '-o', '/dev/null', '-e', 'trace=fsync', 'true'])
const STRACE = 'Linux with strace, and leave to trace (Debian: apt-get install strace)'

/** Traces a server while pairs of friends write to each other. */
async function traceOf(lie: string | undefined, messages: number): Promise<SyncOrder & { made: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'kithwire-trace-'))
  const [db, trace] = [join(directory, 'chat.db'), join(directory, 'trace')]
  const pairs = (await seedFriends(db)).slice(0, 3)
  const port = await freePort()
  const server = new KilledServer({ port, db, lie, under: straceTo(trace) })
  await server.ready
  const load = new Load(`ws://127.0.0.1:${port}/chat/ws`, pairs, 3)
  try {
    await load.until(() => load.acknowledged >= messages)
    await load.finish()
  } finally {
    load.close()
    await server.kill()
  }
  const order = await checkSyncOrder(trace)
  await rm(directory, { recursive: true })
  return { ...order, made: load.made.length }
}

it('nothing of an entry is sent before the log is synced with it', async (context) => {
  need(context, strace, STRACE)
  const start = performance.now()
  const { acknowledged, syncs, violations, made } = await traceOf(undefined, MESSAGES)
  const seconds = (performance.now() - start) / 1_000
  const missed = made - acknowledged.size
  const details = { syncs }
  report({
    ...{ name: 'sync before acknowledgement', runs: acknowledged.size, violations: violations.length + missed },
    ...{ hangs: 0, seconds, details },
  })
  expect(violations.slice(0, 10)).toEqual([])
  expect(missed).toBe(0)
  expect(syncs).toBeGreaterThan(10)
}, 3_600_000)

it.for(['early', 'unsynced'])('and a store that lies is found out: %s', { timeout: 120_000 }, async (lie, context) => {
  need(context, strace, STRACE)
  const { acknowledged, violations } = await traceOf(lie, 30)
  expect(acknowledged.size).toBeGreaterThanOrEqual(30)
  expect(violations.length).toBeGreaterThanOrEqual(20)
})
