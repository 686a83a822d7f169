import { setTimeout as delay } from 'node:timers/promises'
import { SeededRandom } from '@kithwire/protocol/testing'
import { expect, it } from 'vitest'
import { report, size } from '../support/report.js'
import { scratchFiles } from './folder.js'
import { judgeKept } from './kept.js'
import { type Acknowledged, startWriter, type Task } from './writers.js'

const KILLS = size('KILLS', 20)
const SEED = size('SEED', 1)
const newFile = scratchFiles()

/** Starts a writer on what the one before has left, and kills it after some acknowledgements, at any moment. */
async function killOne(file: string, name: string, thread: boolean, random: SeededRandom): Promise<Acknowledged[]> {
  const last = random.integer(1, 200)
  const afterMs = random.next() * 10
  const task: Task = { name, sends: 100_000, conversations: 3, batch: random.pick([1, 3, 9, 40]) }
  const writer = startWriter(file, thread, task, (count) => {
    if (count === last) void delay(afterMs).then(writer.kill)
  })
  await writer.ready
  writer.go()
  const { acknowledged, code, errors } = await writer.done
  expect([code, errors]).toEqual([null, ''])
  expect(acknowledged.length).toBeGreaterThanOrEqual(last)
  return acknowledged
}

it(
  `${KILLS} writers that are killed in the middle have stored everything that they acknowledged`,
  async () => {
    const start = performance.now()
    const random = new SeededRandom(SEED)
    // One file for each way to open it.
    const files = [true, false].map((thread) => ({ thread, file: newFile(), all: [] as Acknowledged[] }))
    for (let kill = 0; kill < KILLS; kill++) {
      const { thread, file, all } = files[kill % 2]!
      all.push(...(await killOne(file, `w${kill}`, thread, random)))
    }
    const used = files.filter(({ all }) => all.length > 0)
    const verdicts = used.map(({ file, all }) => judgeKept(file, all))
    const wrong = verdicts.flatMap((verdict) => verdict.wrong)
    const seconds = (performance.now() - start) / 1_000
    const details = { entries: verdicts.reduce((sum, { entries }) => sum + entries, 0) }
    report({ name: 'kill -9 of a writer', runs: KILLS, violations: wrong.length, hangs: 0, seconds, details })
    expect(wrong.slice(0, 10)).toEqual([])
  },
  60_000 + KILLS * 5_000,
)
