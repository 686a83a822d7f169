import { SeededRandom } from '@kithwire/protocol/testing'
import { afterAll, expect, it } from 'vitest'
import { findMongod, MONGOD, MongoSet } from '../support/mongod.js'
import { need } from '../support/need.js'
import { report, size } from '../support/report.js'
import { kithwire, start } from './kithwire.js'
import { connect, expectedOf, foundOf, gapsOf, numberedOf, updatesOf, writeOldRows } from './old-rows.js'

const ROWS = size('MIGRATE_ROWS', 60_000)
const KILLS = size('MIGRATE_KILLS', 20)
const PAUSE_MS = 25

let set: MongoSet | undefined
afterAll(() => set?.remove())

it(`${ROWS} rows get their places, whenever kill -9 ends it: ${KILLS} times`, async (context) => {
  set = await MongoSet.start(need(context, findMongod(), MONGOD))
  const uri = set.uri('app')
  const client = await connect(uri)
  const rows = client.db().collection('messages')
  const random = new SeededRandom(size('SEED', 1))
  const began = performance.now()
  await writeOldRows(rows, ROWS, Math.ceil(ROWS / 200))
  const expected = await expectedOf(rows)

  let inTheMiddle = 0
  const wrong: string[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await numberedOf(rows)
    const run = start(['migrate'], { MONGO_URL: uri })
    let ended = false
    void run.ended.then(() => {
      ended = true
    })
    // Some while it still looks around, most once it has numbered some more.
    if (random.chance(0.2)) await new Promise((resolve) => setTimeout(resolve, random.integer(0, 900)))
    else {
      const target = (await updatesOf(client)) + random.integer(1, Math.ceil((ROWS - before) / (KILLS - kill + 1)))
      while (!ended && (await updatesOf(client)) < target) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    run.child.kill('SIGKILL')
    await run.ended
    for (const gap of await gapsOf(rows)) wrong.push(`a gap after kill ${kill}: ${JSON.stringify(gap)}`)
    const after = await numberedOf(rows)
    if (after > before && after < ROWS) inTheMiddle++
  }
  const last = await kithwire(['migrate'], { MONGO_URL: uri })
  const found = await foundOf(rows)
  for (const [id, line] of expected) if (found.get(id) !== line) wrong.push(`${id} is ${found.get(id)}, not ${line}`)
  const seconds = (performance.now() - began) / 1_000
  const details = { rows: ROWS, inTheMiddle }
  report({ name: 'kill -9 of a migration', runs: KILLS, violations: wrong.length, hangs: 0, seconds, details })
  expect(wrong.slice(0, 5)).toEqual([])
  expect(found.size).toBe(ROWS)
  expect(inTheMiddle).toBeGreaterThan(KILLS / 2)
  expect(last).toMatchObject({ code: 0, stderr: '' })
  expect(last.stdout).toContain(`✓ ${ROWS.toLocaleString('en-US')} rows of`)

  const again = await kithwire(['migrate'], { MONGO_URL: uri })
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('0 rows have got a number.')])
  expect(await foundOf(rows)).toEqual(found)
  expect(await client.db().collection('kithwire_store').countDocuments()).toBe(0)
  await client.close()
}, 3_600_000)
