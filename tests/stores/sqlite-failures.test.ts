import { writeFileSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemRuntime } from '@kithwire/protocol'
import type { Send } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'
import { describe, expect, it } from 'vitest'
import { type Calls, createCalls } from '../../packages/server/src/stores/sqlite-calls.js'
import { Database } from '../../packages/server/src/stores/sqlite-database.js'
import { type Connection, type Driver, findDriver } from '../../packages/server/src/stores/sqlite-driver.js'
import { scratchFiles } from './folder.js'

const newFile = scratchFiles()

const text = (n: number, content = `message ${n}`): Send['items'][number] => ({ cid: `cid${n}`, type: 'text', content })
const send = (conversation: string, from: string, ...items: Send['items'][number][]): Send => ({
  conversation,
  from,
  items,
})
const seqs = (calls: Calls, conversation: string) =>
  calls.read(conversation, { after: 0, limit: 200 }).map(({ seq }) => seq)

async function make(file: string): Promise<void> {
  const store = sqlite(file, { thread: false })
  await store.ready()
  await store.close()
}

async function openRaw(file: string): Promise<Connection> {
  await mkdir(dirname(file), { recursive: true })
  return findDriver().open(file)
}

/** The store without its facade, so that a test can reach the connection. */
function open(file: string, driver: Driver = findDriver()) {
  const database = new Database({ file, busyTimeoutMs: 20, driver, runtime: systemRuntime })
  return { database, calls: createCalls(database) }
}

describe('a full disk', () => {
  it('R10 refuses the whole batch, and goes on once there is room', () => {
    const { database, calls } = open(newFile())
    calls.append([send('c', 'ann', text(1))], 1)
    const pragma = (sql: string) => Object.values(database.statement(`PRAGMA ${sql}`).get()!)[0]
    pragma(`max_page_count = ${Number(pragma('page_count'))}`)
    const batch = [
      send('c', 'ann', text(2)),
      // New names, which must not be remembered once they are rolled back.
      send('new', 'ben', text(3), text(4, 'x'.repeat(100_000))),
      send('d', 'ann'),
    ]
    const refused = { stored: [], refused: { index: 0, code: 'store_unavailable' } }
    expect(calls.append(batch, 2)).toEqual([refused, refused, { stored: [] }])
    expect(seqs(calls, 'c')).toEqual([1])
    expect(calls.heads(['new'])).toEqual([{ conversation: 'new', head: 0, first: 1, tail: '' }])
    expect(() => calls.mark([{ conversation: 'm'.repeat(9_000), user: 'ben', delivered: 1, read: 1 }])).toThrow()
    expect(database.generation).toBe(1)
    pragma('max_page_count = 1000000')
    calls.append([send('other', 'cyd', text(1))], 3)
    const outcomes = calls.append(batch, 3)
    expect(outcomes.map(({ stored }) => stored.map(({ seq }) => seq))).toEqual([[2], [1, 2], []])
    expect(calls.read('new', { after: 0, limit: 9 }).map(({ from }) => from)).toEqual(['ben', 'ben'])
    calls.close()
  })
})

/** The real driver, whose next COMMIT fails as after a failed sync: before it has reached the file, or after. */
function failingCommit(when: 'before' | 'after') {
  const real = findDriver()
  const state = { opened: 0, closed: 0, fail: false }
  const open = (file: string): Connection => {
    state.opened++
    const connection = real.open(file)
    return {
      exec: (sql) => connection.exec(sql),
      close: () => {
        state.closed++
        connection.close()
      },
      prepare: (sql) => {
        const statement = connection.prepare(sql)
        if (sql !== 'COMMIT') return statement
        return {
          get: () => statement.get(),
          all: () => statement.all(),
          run: () => {
            if (!state.fail) return statement.run()
            state.fail = false
            if (when === 'after') statement.run()
            throw Object.assign(new Error('disk I/O error'), { errcode: 1_034 })
          },
        }
      },
    }
  }
  return { driver: { name: real.name, open } satisfies Driver, state }
}

describe('a failed sync', () => {
  it.each(['before', 'after'] as const)('is an unknown outcome, and the file is opened again (%s)', (when) => {
    const { driver, state } = failingCommit(when)
    const { calls } = open(newFile(), driver)
    calls.append([send('c', 'ann', text(1))], 1)
    state.fail = true
    expect(() => calls.append([send('c', 'ann', text(2)), send('new', 'ben', text(1))], 2)).toThrow('commit failed')
    expect(state).toEqual({ opened: 1, closed: 1, fail: false })
    const [one, two] = calls.append([send('c', 'ann', text(2), text(3)), send('new', 'ben', text(1))], 3)
    expect(state.opened).toBe(2)
    const duplicate = when === 'after'
    expect(one!.stored.map((stored) => [stored.seq, stored.duplicate])).toEqual([
      [2, duplicate],
      [3, false],
    ])
    expect(two!.stored.map((stored) => [stored.seq, stored.duplicate])).toEqual([[1, duplicate]])
    expect(seqs(calls, 'c')).toEqual([1, 2, 3])
    calls.close()
  })
})

describe('the lock of another process', () => {
  it('refuses the batch as busy after the timeout, and nothing else fails', async () => {
    const file = newFile()
    const store = sqlite(file, { busyTimeoutMs: 20 })
    await store.append([send('c', 'ann', text(1))])
    const other = await openRaw(file)
    other.exec('BEGIN IMMEDIATE')
    expect(await store.append([send('c', 'ann', text(2))])).toEqual([
      { stored: [], refused: { index: 0, code: 'busy' } },
    ])
    await expect(store.mark([{ conversation: 'c', user: 'ben', delivered: 1, read: 1 }])).rejects.toMatchObject({
      code: 'busy',
      retry: true,
    })
    expect(await store.read('c', { after: 0, limit: 9 })).toHaveLength(1)
    other.exec('ROLLBACK')
    other.close()
    expect((await store.append([send('c', 'ann', text(2))]))[0]!.stored[0]!.seq).toBe(2)
    await store.close()
  })
})

describe('a file that is not ours', () => {
  const ready = async (file: string) => {
    const store = sqlite(file)
    const error = await store.ready().then(
      () => undefined,
      (reason) => reason as Error,
    )
    const again = await store.append([send('c', 'ann', text(1))]).then(
      () => undefined,
      (reason) => reason as Error,
    )
    expect(again?.message).toBe(error?.message)
    await store.close()
    return error
  }

  it('was written by a newer version that this one cannot read', async () => {
    const file = newFile()
    await make(file)
    const raw = await openRaw(file)
    raw.exec("PRAGMA user_version = 99; UPDATE store SET value = 98 WHERE key = 'min_reader'")
    raw.close()
    expect(await ready(file)).toMatchObject({
      code: 'bad_state',
      message: expect.stringMatching(/newer version of @kithwire\/server: its schema is 99 and needs at least 98/),
    })
  })

  it('is used if a newer version says that this one may', async () => {
    const file = newFile()
    await make(file)
    const raw = await openRaw(file)
    raw.exec('PRAGMA user_version = 99')
    raw.close()
    expect(await ready(file)).toBeUndefined()
    const after = await openRaw(file)
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 })
    after.close()
  })

  it('is a database of another program, which is left as it was', async () => {
    const file = newFile()
    const raw = await openRaw(file)
    raw.exec('CREATE TABLE users (id)')
    raw.close()
    const before = await readFile(file)
    expect(await ready(file)).toMatchObject({ code: 'bad_state', message: expect.stringContaining('another program') })
    expect(await readFile(file)).toEqual(before)
  })

  it('is no database at all, or cannot be opened', async () => {
    const file = newFile()
    await mkdir(dirname(file), { recursive: true })
    writeFileSync(file, 'not a database, but long enough to have a header of one'.repeat(40))
    expect(await ready(file)).toMatchObject({ code: 'bad_state', message: expect.stringContaining('not an SQLite') })
    expect(await ready(`${file}/below/chat.db`)).toMatchObject({ code: 'store_unavailable' })
    expect(await ready(dirname(file))).toMatchObject({ code: 'store_unavailable' })
  })
})

it('has set the pragmas that its promises rest on, and made the folder', () => {
  const { database, calls } = open(newFile())
  calls.open()
  const values = ['journal_mode', 'synchronous', 'foreign_keys', 'mmap_size', 'fullfsync', 'busy_timeout'].map(
    (name) => Object.values(database.statement(`PRAGMA ${name}`).get() ?? {})[0],
  )
  expect(values).toEqual(['wal', 2, 1, 0, 1, 20])
  calls.close()
})
