import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { fileStore } from '@kithwire/client/file'
import { expect, it, onTestFinished } from 'vitest'

/** How often the process is killed. */
const KILLS = Number(process.env.FILE_STORE_KILLS ?? 20)

const WRITER = fileURLToPath(new URL('writer.mjs', import.meta.url))

/** Runs a writer and kills it after so many lines; what it said until it ended. */
async function run(folder: string, name: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, folder, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  // Its output ends a moment before it does, and until then the store is its.
  const ended = once(child, 'exit')
  const said: string[] = []
  for await (const line of createInterface(child.stdout)) {
    said.push(line)
    if (said.length === lines) child.kill('SIGKILL')
  }
  await ended
  return said
}

it(
  `a process is killed ${KILLS} times while it writes to a file store: what it was told is there`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kithwire-client-store-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const waiting: string[] = []
    let applied = 0
    for (let round = 0; round < KILLS; round++) {
      const said = await run(folder, `run${round}`, 1 + ((round * 37) % 150))
      const store = fileStore(folder)()
      const state = await store.conversation('c')
      const messages = await store.messages('c', 0, 1e6)
      const queued = await store.queued('c', 1e6)
      await store.close()
      for (const [, what, cid] of said.map((line) => /^(queued|applied \d+) (\S+)$/.exec(line) ?? [])) {
        if (what === 'queued') waiting.push(cid!)
        else {
          waiting.splice(waiting.indexOf(cid!), 1)
          applied = Number(what!.slice(8))
        }
      }
      // One more may have been stored than the process could say.
      expect(state!.applied).toBeGreaterThanOrEqual(applied)
      expect(state!.applied).toBeLessThanOrEqual(applied + 1)
      expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: state!.applied }, (_, index) => index + 1))
      const stored = new Set(messages.map(({ cid }) => cid))
      const cids = queued.map(({ cid }) => cid)
      expect(cids.filter((cid) => stored.has(cid))).toEqual([])
      const lost = waiting.filter((cid) => !stored.has(cid) && !cids.includes(cid))
      expect(lost).toEqual([])
      // In their order, whatever of the last run was not said.
      expect(cids.filter((cid) => waiting.includes(cid))).toEqual(waiting.filter((cid) => !stored.has(cid)))
      waiting.splice(0, waiting.length, ...cids)
      applied = state!.applied
    }
  },
  60_000 + KILLS * 5_000,
)
