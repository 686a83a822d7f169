import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { newCid, systemRuntime } from '@kithwire/protocol'
import { sqlite } from '@kithwire/server/sqlite'
import { describe, expect, it } from 'vitest'
import { AdaptivePort } from '../../packages/server/src/stores/sqlite-adaptive.js'
import { type Port, sameThread } from '../../packages/server/src/stores/sqlite-calls.js'
import { Database } from '../../packages/server/src/stores/sqlite-database.js'
import { findDriver } from '../../packages/server/src/stores/sqlite-driver.js'
import { SqliteThread } from '../../packages/server/src/stores/sqlite-thread.js'
import { scratchFiles } from './folder.js'

const newFile = scratchFiles()
/** The worker as it is shipped. */
const BUILT = join(dirname(createRequire(import.meta.url).resolve('@kithwire/server')), 'sqlite-worker.cjs')

/** A port over a disk that is as slow as a test says, and what became of it. */
function slowDisk(startThread?: (file: string) => Port) {
  const file = newFile()
  const disk = { commitMs: 0, readMs: 0 }
  let now = 0
  const runtime = { ...systemRuntime, monotonic: () => now }
  const shipped = findDriver()
  const open = (path: string) => {
    const connection = shipped.open(path)
    return {
      exec: (sql: string) => connection.exec(sql),
      close: () => {
        happened.push('closed')
        connection.close()
      },
      prepare: (sql: string) => {
        const statement = connection.prepare(sql)
        const slowed = sql === 'COMMIT' ? 'commitMs' : sql === 'BEGIN' ? 'readMs' : undefined
        const run: typeof statement.run = (...values) => {
          now += slowed ? disk[slowed] : 0
          return statement.run(...values)
        }
        return { run, get: statement.get.bind(statement), all: statement.all.bind(statement) }
      },
    }
  }
  const happened: string[] = []
  const thread = (): Port => {
    happened.push('thread')
    const port = sameThread(new Database({ file, busyTimeoutMs: 0, driver: shipped, runtime: systemRuntime }))
    const call: Port['call'] = async (...args) => {
      await new Promise(setImmediate)
      return port.call(...args)
    }
    return { ...port, call, gather: undefined }
  }
  const database = new Database({ file, busyTimeoutMs: 0, driver: { name: shipped.name, open }, runtime })
  const port = new AdaptivePort(database, runtime, startThread ? () => startThread(file) : thread)
  const append = async (times: number, commitMs: number, items = 1) => {
    disk.commitMs = commitMs
    for (let time = 0; time < times; time++) {
      const texts = Array.from({ length: items }, () => ({ cid: newCid(systemRuntime), type: 'text', content: 'x' }))
      await port.append([{ conversation: 'c', from: 'ann', items: texts }], 1)
    }
  }
  return { port, disk, append, happened }
}

const head = async (port: Port) => (await port.call('heads', ['c']))[0]!.head

describe('the place of the database', () => {
  it('stays where it is while commits are quick, whatever the first call takes and however seldom one is slow', async () => {
    const { port, append, happened } = slowDisk()
    await append(1, 5_000)
    for (let round = 0; round < 20; round++) {
      await append(9, 1.9)
      await append(5, 40)
    }
    await append(20, 5, 200)
    expect([happened, await head(port)]).toEqual([[], 1 + 20 * 14 + 20 * 200])
    expect(port.gather).toBeDefined()
    await port.close()
  })

  it('becomes a thread of its own when most are slow, and nothing is lost or doubled on the way', async () => {
    const { port, append, happened } = slowDisk()
    await append(1, 0)
    await append(15, 2.1)
    await append(1, 0)
    await append(1, 2.1)
    expect(happened).toEqual([])
    await append(1, 2.1)
    expect(happened[0]).toBe('thread')
    expect(port.gather).toBeUndefined()
    await append(3, 50)
    expect([happened, await head(port)]).toEqual([['thread', 'closed'], 22])
    const entries = await port.call('read', 'c', { after: 0, limit: 100 })
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 22 }, (_, index) => index + 1))
    await port.close()
  })

  it('becomes one after a single stall, also of a read, and is closed as a whole', async () => {
    const { port, disk, append, happened } = slowDisk()
    await append(1, 0)
    disk.readMs = 251
    expect(await head(port)).toBe(1)
    await port.close()
    expect(happened).toEqual(['thread', 'closed'])
  })

  it('counts commits of marks, too', async () => {
    const { port, disk, append, happened } = slowDisk()
    await append(20, 0)
    disk.commitMs = 10
    for (let delivered = 1; delivered <= 16; delivered++)
      await port.call('mark', [{ conversation: 'c', user: 'ben', delivered, read: 0 }])
    expect(happened[0]).toBe('thread')
    await port.close()
  })

  it('takes along what is asked for while it becomes one', async () => {
    const { port, disk } = slowDisk((file) => new SqliteThread({ file, busyTimeoutMs: 5_000 }, systemRuntime, BUILT))
    disk.commitMs = 30
    const appends = Array.from({ length: 60 }, (_, index) =>
      port.append([{ conversation: 'c', from: 'ann', items: [{ cid: `${index}`, type: 'text', content: 'x' }] }], 1),
    )
    const seqs = (await Promise.all(appends)).map(([outcome]) => outcome!.stored[0]!.seq)
    expect(seqs).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
    expect(port.gather).toBeUndefined()
    await port.close()
  })

  it('becomes one instead of waiting for long for another process', async () => {
    const file = newFile()
    const store = sqlite(file, { busyTimeoutMs: 60_000 })
    const send = (cid: string) => ({ conversation: 'c', from: 'ann', items: [{ cid, type: 'text', content: 'x' }] })
    await store.append([send('1')])
    const other = findDriver().open(file)
    other.exec('BEGIN IMMEDIATE')
    expect(await store.append([send('2')])).toMatchObject([{ refused: { code: 'busy' } }])
    expect(store.gather).toBeUndefined()
    const waiting = store.append([send('2')])
    other.exec('COMMIT')
    other.close()
    expect(await waiting).toMatchObject([{ stored: [{ seq: 2, duplicate: false }] }])
    await store.close()
  })

  it('stays where there can be no thread', async () => {
    const { port, append } = slowDisk(() => {
      throw new Error('its file is not there')
    })
    await append(40, 30)
    expect(await head(port)).toBe(40)
    expect(port.gather).toBeDefined()
    await port.close()
  })
})
