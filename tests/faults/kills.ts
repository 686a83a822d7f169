import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SeededRandom } from '@kithwire/protocol/testing'
import { freePort } from '../support/free-port.js'
import { Hang, inTime } from '../support/in-time.js'
import { percentiles, type Summary } from '../support/report.js'
import { seedFriends } from './friends.js'
import { KilledServer } from './killed-server.js'
import { Deaths, drawFate } from './life.js'
import { Load } from './load.js'
import { readLogFile, readPlaces } from './log-file.js'
import { judge } from './oracle.js'
import { judgeGrowth } from './oracle-marks.js'

/**
 * Kills servers under load, one after the other, on one file, and judges what is left by the file and by what
 * everybody was told. With a `lie`, the servers have a store that breaks its promise (lying-writer.mjs).
 */
export async function killServers(kills: number, seed: number, lie?: string): Promise<[Summary, wrong: string[]]> {
  const start = performance.now()
  const random = new SeededRandom(seed)
  const directory = await mkdtemp(join(tmpdir(), 'kithwire-kill-'))
  const db = join(directory, 'chat.db')
  const pairs = await seedFriends(db)
  const port = await freePort()
  const load = new Load(`ws://127.0.0.1:${port}/chat/ws`, pairs, 20)
  const deaths = new Deaths()
  const wrong: string[] = []
  let hangs = 0
  let killed = 0
  let server: KilledServer | undefined
  try {
    let places = readPlaces(db)
    for (; killed < kills; killed++) {
      const fate = drawFate(random)
      if (lie) fate.fail = undefined
      server = new KilledServer({ port, db, fail: fate.fail, lie })
      await inTime('The life of a server', deaths.await(server, fate, load))
      // Not each time: most servers are to find the file as the one before has left it.
      if (!random.chance(0.25)) continue
      const now = readPlaces(db)
      wrong.push(...judgeGrowth(places, now))
      places = now
    }
    server = new KilledServer({ port, db })
    await inTime('The end of the load', load.finish())
  } catch (error) {
    if (error instanceof Hang) hangs++
    wrong.push(String(error), ...(load.failure ? [String(load.failure)] : []), ...load.states.values())
  } finally {
    load.close()
    await server?.kill()
  }
  const { log, marks, damage } = readLogFile(db)
  wrong.push(...damage, ...judge(log, load.made, load.views, { marks, told: load.told }))
  if (log.length !== load.made.length) wrong.push(`I8: ${load.made.length} written, ${log.length} in the log`)
  await rm(directory, { recursive: true })
  const details = {
    entries: log.length,
    marks: load.told.length,
    deaths: deaths.byName,
    restartMs: percentiles(deaths.servingMs),
    restarts: deaths.servingMs.map(Math.round),
  }
  const seconds = (performance.now() - start) / 1_000
  return [{ name: 'kill -9 of the server', runs: killed, violations: wrong.length, hangs, seconds, details }, wrong]
}
