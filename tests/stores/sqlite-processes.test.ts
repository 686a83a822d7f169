import { describe, expect, it } from 'vitest'
import { report, size } from '../support/report.js'
import { scratchFiles } from './folder.js'
import { judgeKept } from './kept.js'
import { startWriter, type Task, type Writer } from './writers.js'

/** Sends per commit of each of four writers: as of servers with little to do, and with much. */
const BATCHES = [4, 8, 16, 32]
/** Of all writers together, rounded up to whole batches. */
const APPENDS = Math.ceil(size('APPENDS', 2_000) / 128) * 128

const newFile = scratchFiles()
const range = (length: number) => Array.from({ length }, (_, index) => index)

async function startTogether(writers: Writer[]) {
  await Promise.all(writers.map(({ ready }) => ready))
  for (const { go } of writers) go()
  const ended = await Promise.all(writers.map(({ done }) => done))
  expect(ended.map(({ code, errors }) => [code, errors])).toEqual(writers.map(() => [0, '']))
  return ended.flatMap(({ acknowledged }) => acknowledged)
}

describe('several processes on one file', () => {
  it('make one row with one seq of the same cid, sent by ten of them at once', async () => {
    const file = newFile()
    const task: Task = { name: 'same', sends: 10, conversations: 1, cid: '0190b2a0-0000-7000-8000-000000000001' }
    // None of them finds the file there: they also make the schema at once.
    const acknowledged = await startTogether(range(10).map((n) => startWriter(file, n % 2 === 0, task)))
    expect(acknowledged).toHaveLength(100)
    expect(new Set(acknowledged.map(({ seq, id }) => `${seq} ${id}`)).size).toBe(1)
    expect(acknowledged.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    expect(judgeKept(file, acknowledged)).toEqual({ entries: 1, wrong: [] })
  })

  it(
    `leave no gap with four of them and ${APPENDS} sends in all`,
    async () => {
      const file = newFile()
      const start = performance.now()
      const tasks = BATCHES.map((batch, n): Task => ({ name: `w${n}`, sends: APPENDS / 4, conversations: 10, batch }))
      const acknowledged = await startTogether(tasks.map((task, n) => startWriter(file, n % 2 === 0, task)))
      const { entries, wrong } = judgeKept(file, acknowledged)
      for (const { cid, refused } of acknowledged) if (refused) wrong.push(`${cid} was refused: ${refused.code}`)
      if (entries !== acknowledged.length) wrong.push(`${acknowledged.length} acknowledged, ${entries} in the log`)
      const seconds = (performance.now() - start) / 1_000
      const runs = acknowledged.length
      report({ name: 'appends of four processes', runs, violations: wrong.length, hangs: 0, seconds })
      expect(wrong.slice(0, 10)).toEqual([])
      expect(acknowledged).toHaveLength(APPENDS)
    },
    60_000 + APPENDS * 20,
  )
})
