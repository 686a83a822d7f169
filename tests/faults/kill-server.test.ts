import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { SeededRandom } from '@kithwire/protocol/testing'
import { expect, it } from 'vitest'
import { percentiles, report, size } from '../support/report.js'
import { freePort, seedFriends } from './friends.js'
import { KilledServer } from './killed-server.js'
import { Deaths, drawFate } from './life.js'
import { Load } from './load.js'
import { readLogFile, readPlaces } from './log-file.js'
import { judge } from './oracle.js'
import { judgeGrowth } from './oracle-marks.js'

const KILLS = size('KILLS', 50)
const SEED = size('SEED', 1)
/** Nothing that a server does takes so long, on any machine. */
const HANG_MS = 120_000

class Hang extends Error {}

/** Rejects if `work` does not end. */
async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  const watch = new AbortController()
  const late = delay(HANG_MS, undefined, { signal: watch.signal }).then(() => {
    throw new Hang(`${what} did not end within ${HANG_MS / 1_000} s.`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([work, late])
  } finally {
    watch.abort()
  }
}

it(
  `${KILLS} kills of the server under load lose nothing, double nothing, reorder nothing`,
  async () => {
    const start = performance.now()
    const random = new SeededRandom(SEED)
    const directory = await mkdtemp(join(tmpdir(), 'kithwire-kill-'))
    const db = join(directory, 'chat.db')
    const pairs = await seedFriends(db)
    const port = await freePort()
    const load = new Load(`ws://127.0.0.1:${port}/chat/ws`, pairs, 20)
    const deaths = new Deaths()
    const violations: string[] = []
    let hangs = 0
    let kills = 0
    let server: KilledServer | undefined
    try {
      let places = readPlaces(db)
      for (; kills < KILLS; kills++) {
        const fate = drawFate(random)
        server = new KilledServer({ port, db, fail: fate.fail })
        await inTime('The life of a server', deaths.await(server, fate, load))
        // Not each time: most servers are to find the file as the one before has left it.
        if (!random.chance(0.25)) continue
        const now = readPlaces(db)
        violations.push(...judgeGrowth(places, now))
        places = now
      }
      server = new KilledServer({ port, db })
      await inTime('The end of the load', load.finish())
    } catch (error) {
      if (error instanceof Hang) hangs++
      violations.push(String(error))
    } finally {
      load.close()
      await server?.kill()
    }
    const { log, marks, damage } = readLogFile(db)
    violations.push(...damage, ...judge(log, load.made, load.views, { marks, told: load.told }))
    if (log.length !== load.made.length) violations.push(`I8: ${load.made.length} written, ${log.length} in the log`)
    await rm(directory, { recursive: true })
    const details = {
      entries: log.length,
      marks: load.told.length,
      deaths: deaths.byName,
      restartMs: percentiles(deaths.servingMs),
    }
    const seconds = (performance.now() - start) / 1_000
    report({ name: 'kill -9 of the server', runs: kills, violations: violations.length, hangs, seconds, details })
    console.log(`${kills} kills in ${seconds.toFixed(0)} s: ${JSON.stringify(details)}`)
    expect(violations.slice(0, 20)).toEqual([])
  },
  600_000 + KILLS * 5_000,
)
