import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { mongo } from '@kithwire/server/mongo'
import mongoose from 'mongoose'
import { expect, it } from 'vitest'
import { withMongod } from './bench.js'
import { readLog } from './log.js'

/** Sends of each of the 8 processes. */
const SENDS = Number(process.env.MONGO_SENDS ?? 100)
const SCRIPT = fileURLToPath(new URL('./writer.mjs', import.meta.url))

interface Acknowledged {
  conversation: string
  cid: string
  seq: number
  id: string
  duplicate: boolean
}

/** Starts a writer for each list of arguments, lets them write at once, and answers with what they were told. */
async function writeTogether(uri: string, tasks: readonly (readonly unknown[])[]): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = []
  const start = async (task: readonly unknown[]) => {
    const child: ChildProcess = spawn(process.execPath, [SCRIPT, uri, ...task.map(String)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout! })
    await once(lines, 'line')
    lines.on('line', (line) => acknowledged.push(JSON.parse(line)))
    return child
  }
  const children = await Promise.all(tasks.map(start))
  const codes = children.map(async (child) => {
    child.stdin!.write('go\n')
    return (await once(child, 'close'))[0]
  })
  expect(await Promise.all(codes)).toEqual(tasks.map(() => 0))
  return acknowledged
}

/** The log must be 1, 2, 3 … and hold each acknowledged entry under the seq and id that were told. */
async function expectKept(uri: string, acknowledged: readonly Acknowledged[]): Promise<number> {
  const connection = mongoose.createConnection(uri)
  const store = mongo({ connection })
  let entries = 0
  for (const conversation of new Set(acknowledged.map((one) => one.conversation))) {
    const log = await readLog(store, conversation)
    entries += log.length
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1))
    expect(new Set(log.map(({ from, cid }) => `${from} ${cid}`)).size).toBe(log.length)
    for (const { seq, id, cid } of acknowledged.filter((one) => one.conversation === conversation))
      expect(log[seq - 1]).toMatchObject({ id, cid })
  }
  await store.close()
  await connection.close()
  return entries
}

withMongod('8 processes on one database', 'replica set', ({ newUri }) => {
  it('leave no gap, make no duplicate, and make one entry of one cid', async () => {
    const uri = newUri()
    const tasks = Array.from({ length: 8 }, (_, n) => [`w${n}`, SENDS, 2])
    const acknowledged = await writeTogether(uri, tasks)
    expect(acknowledged).toHaveLength(8 * (SENDS + 10))
    const same = acknowledged.filter(({ cid }) => cid === 'same')
    expect(same).toHaveLength(80)
    expect(new Set(same.map(({ seq, id }) => `${seq} ${id}`)).size).toBe(1)
    expect(same.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    expect(await expectKept(uri, acknowledged)).toBe(8 * SENDS + 1)
  }, 300_000)
})
