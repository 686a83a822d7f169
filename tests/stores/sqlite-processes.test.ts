import type { Entry, Store } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'
import { describe, expect, it } from 'vitest'
import { scratchFiles } from './folder.js'
import { type Acknowledged, startWriter, type Task, type Writer } from './writers.js'

const newFile = scratchFiles()
const range = (length: number) => Array.from({ length }, (_, index) => index)

async function log(store: Store, conversation: string): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let page = [] as Entry[]; ; entries.push(...page)) {
    page = await store.read(conversation, { after: entries.length, limit: 200 })
    if (page.length === 0) return entries
  }
}

async function startTogether(writers: Writer[]) {
  await Promise.all(writers.map(({ ready }) => ready))
  for (const { go } of writers) go()
  const ended = await Promise.all(writers.map(({ done }) => done))
  expect(ended.map(({ code, errors }) => [code, errors])).toEqual(writers.map(() => [0, '']))
  return ended.flatMap(({ acknowledged }) => acknowledged)
}

/** Whether the log is 1, 2, 3 … and holds each acknowledged entry under the seq and id that were told. */
async function expectKept(file: string, acknowledged: Acknowledged[]): Promise<number> {
  const store = sqlite(file, { thread: false })
  let entries = 0
  for (const conversation of new Set(acknowledged.map((one) => one.conversation))) {
    const rows = await log(store, conversation)
    entries += rows.length
    expect(rows.map(({ seq }) => seq)).toEqual(range(rows.length).map((index) => index + 1))
    expect(new Set(rows.map(({ from, cid }) => `${from} ${cid}`)).size).toBe(rows.length)
    for (const { seq, id, cid } of acknowledged.filter((one) => one.conversation === conversation))
      expect(rows[seq - 1]).toMatchObject({ id, cid })
  }
  await store.close()
  return entries
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
    expect(await expectKept(file, acknowledged)).toBe(1)
  })

  it('leave no gap with four of them and 500 sends each', async () => {
    const file = newFile()
    const tasks = range(4).map((n): Task => ({ name: `w${n}`, sends: 500, conversations: 3, batch: n % 2 ? 1 : 5 }))
    const acknowledged = await startTogether(tasks.map((task, n) => startWriter(file, n < 2, task)))
    expect(acknowledged.filter(({ refused }) => refused)).toEqual([])
    expect(acknowledged).toHaveLength(2_000)
    expect(await expectKept(file, acknowledged)).toBe(2_000)
  })
})

describe('a writer that is killed in the middle', () => {
  it.each([true, false])('has everything that it acknowledged (thread: %s)', async (thread) => {
    const file = newFile()
    const all: Acknowledged[] = []
    for (const round of range(6)) {
      // Killed after another number of acknowledgements each time; the next one opens what this one left.
      const last = 5 + 37 * round
      const task: Task = { name: `w${round}`, sends: 100_000, conversations: 3, batch: 1 + (round % 3) * 8 }
      const writer = startWriter(file, thread, task, (count) => {
        if (count >= last) writer.kill()
      })
      await writer.ready
      writer.go()
      const { acknowledged, code } = await writer.done
      expect(code).toBeNull()
      expect(acknowledged.length).toBeGreaterThanOrEqual(last)
      all.push(...acknowledged)
    }
    expect(await expectKept(file, all)).toBeGreaterThanOrEqual(all.length)
  })
})
