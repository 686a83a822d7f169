import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { SqliteThread } from '../../packages/server/src/stores/sqlite-thread.js'
import { scratchFiles } from './folder.js'

const newFile = scratchFiles()
const MORTAL = fileURLToPath(new URL('./mortal-worker.mjs', import.meta.url))

describe('a thread that dies', () => {
  it('rejects what is under way, and is started again after a pause that grows', async () => {
    const clock = new FakeClock()
    const thread = new SqliteThread({ file: '', busyTimeoutMs: 0 }, clock, MORTAL)
    expect(await thread.call('open')).toBe('opened')
    const [first, second] = await Promise.allSettled([thread.call('epoch'), thread.call('marks', [])])
    for (const result of [first, second])
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable', retry: true } })
    expect(first).toMatchObject({ reason: { cause: { message: 'out of memory' } } })
    await expect(thread.call('open')).rejects.toThrow('started again in 100 ms')
    await clock.advance(100)
    await expect(thread.call('marks', [])).rejects.toMatchObject({
      cause: { message: expect.stringContaining('code 3') },
    })
    await expect(thread.call('open')).rejects.toThrow('started again in 200 ms')
    await clock.advance(200)
    expect(await thread.call('open')).toBe('opened')
    await expect(thread.call('marks', [])).rejects.toThrow('not known')
    await expect(thread.call('open')).rejects.toThrow('started again in 100 ms')
    await thread.close()
  })

  it('is closed as well if it dies of it, or was never started', async () => {
    const thread = new SqliteThread({ file: '', busyTimeoutMs: 0 }, new FakeClock(), MORTAL)
    await thread.close()
    await thread.call('open')
    await thread.close()
  })

  it('rejects what cannot be sent to it', async () => {
    const thread = new SqliteThread({ file: '', busyTimeoutMs: 0 }, new FakeClock(), MORTAL)
    await expect(thread.call('heads', [(() => {}) as never])).rejects.toMatchObject({ code: 'internal' })
    await thread.close()
  })
})

it('keeps the process alive for what is under way, and no longer', async () => {
  const script = `
    import { sqlite } from '@kithwire/server/sqlite'
    const store = sqlite(process.argv[1], { thread: true })
    store.append([{ conversation: 'c', from: 'ann', items: [{ cid: '1', type: 'text', content: 'hi' }] }])
      .then(([{ stored }]) => console.log(stored[0].seq))`
  const here = dirname(MORTAL)
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, newFile()], { cwd: here })
  expect(stdout).toBe('1\n')
})
