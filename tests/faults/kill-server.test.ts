import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SeededRandom } from '@kithwire/protocol/testing'
import { sqlite } from '@kithwire/server/sqlite'
import { expect, it } from 'vitest'
import { FAILPOINTS, KilledServer } from './killed-server.js'
import { Load } from './load.js'
import { judge, type LogEntry } from './oracle.js'

const KILLS = Number(process.env.KILLS ?? 50)
const SEED = Number(process.env.SEED ?? 1)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Five pairs of friends, made with the store itself. */
async function seedFriends(db: string) {
  const store = sqlite(db)
  const pairs = Array.from(
    { length: 5 },
    (_, index) => [`ann${index}`, `ben${index}`, `conversation-${index}`] as const,
  )
  for (const [user1, user2, id] of pairs) {
    const row = { id, user1, user2, requester: user1, blockedBy: [], createdAt: 0, changedAt: 0, version: 1 }
    await store.friendships?.put({ ...row, state: 'accepted' }, undefined)
  }
  await store.close()
  return pairs
}

async function readLog(db: string, conversations: readonly string[]): Promise<LogEntry[]> {
  const store = sqlite(db)
  const log: LogEntry[] = []
  for (const conversation of conversations)
    for (let after = 0; ; ) {
      const page = await store.read(conversation, { after, limit: 200 })
      log.push(...page)
      if (page.length === 0) break
      after = page.at(-1)?.seq ?? after
    }
  await store.close()
  return log
}

/** Waits for work that needs a server, and fails with the server if it ends. */
async function alive(server: KilledServer, work: Promise<void>): Promise<void> {
  const ended = server.died().then(() => Promise.reject(new Error('The server was killed by nobody.')))
  await Promise.race([work, ended])
}

it(`${KILLS} kills of the server under load lose nothing, double nothing, reorder nothing`, async () => {
  const random = new SeededRandom(SEED)
  const directory = await mkdtemp(join(tmpdir(), 'kithwire-kill-'))
  const db = join(directory, 'chat.db')
  const pairs = await seedFriends(db)
  const port = await freePort()
  let server = await KilledServer.start({ port, db })
  const load = new Load(`ws://127.0.0.1:${port}/chat/ws`, pairs, 20)
  const hits = new Map<string, number>()
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      // Some work between two deaths, so that each finds 200 messages in flight.
      const enough = load.acknowledged + random.integer(20, 400)
      await alive(
        server,
        load.until(() => load.acknowledged >= enough),
      )
      await server.kill()
      // Every second time it also dies at a named place while everybody comes back.
      const point = random.pick(FAILPOINTS)
      if (random.chance(0.5)) {
        hits.set(point, (hits.get(point) ?? 0) + 1)
        server = await KilledServer.start({ port, db, fail: `${point}:${random.integer(1, 12)}` })
        await Promise.race([server.died(), load.until(() => load.acknowledged >= enough + 400)])
        await server.kill()
      }
      server = await KilledServer.start({ port, db })
    }
    await load.finish()
  } finally {
    load.close()
    await server.kill()
  }
  const log = await readLog(
    db,
    pairs.map(([, , id]) => id),
  )
  await rm(directory, { recursive: true })
  console.log(`${KILLS} kills, ${log.length} entries, failpoints: ${JSON.stringify(Object.fromEntries(hits))}`)
  expect(judge(log, load.made, load.views)).toEqual([])
  expect(log.length).toBe(load.made.length)
}, 600_000)
