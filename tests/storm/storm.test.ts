import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from '@kithwire/server/sqlite'
import { expect, it } from 'vitest'
import { seedFriends } from '../faults/friends.js'
import { judge, type LogEntry } from '../faults/oracle.js'
import { freePort } from '../support/free-port.js'
import { summarize } from '../support/report.js'
import { Crowd, type Round } from './crowd.js'
import { ServerProcess } from './server-process.js'

const SOCKETS = Number(process.env.STORM ?? 2_000)
const RESTARTS = Number(process.env.STORM_RESTARTS ?? 5)
const KILLS = Number(process.env.STORM_KILLS ?? 1)
/** An orchestrator gives 25 s; a deploy that takes a tenth of it is the harder one. */
const DRAIN_MS = Number(process.env.STORM_DRAIN ?? 2_500)
const BACK_MS = 60_000
const TRIES = 3

async function readLog(db: string, conversations: readonly string[]): Promise<LogEntry[]> {
  const store = sqlite(db)
  const log: LogEntry[] = []
  for (const conversation of conversations) log.push(...(await store.read(conversation, { after: 0, limit: 200 })))
  await store.close()
  return log
}

it(`${SOCKETS} clients come back from ${KILLS} kills and ${RESTARTS} restarts, and nothing is lost`, async () => {
  const begun = performance.now()
  const directory = await mkdtemp(join(tmpdir(), 'kithwire-storm-'))
  const db = join(directory, 'chat.db')
  const pairs = await seedFriends(db, SOCKETS / 2)
  const options = { port: await freePort(), db, drainMs: DRAIN_MS }
  let server = await (await ServerProcess.prepare(options)).listen()
  let next: ServerProcess | undefined
  const crowd = new Crowd(`ws://127.0.0.1:${options.port}/chat/ws`, pairs)
  const kills: Round[] = []
  const restarts: Round[] = []
  const wrong: string[] = []
  let [hangs, messages, clientMB] = [0, 0, 0]
  try {
    await crowd.gather()
    for (let kill = 0; kill < KILLS; kill++) {
      next = await ServerProcess.prepare(options)
      const enough = crowd.acknowledged + crowd.size / 4
      crowd.speak()
      await crowd.until(() => crowd.acknowledged >= enough)
      await server.kill()
      await crowd.until(() => crowd.online === 0)
      crowd.begin()
      server = await next.listen()
      crowd.reachable()
      kills.push(await crowd.round())
      await crowd.finish()
    }
    for (let restart = 0; restart < RESTARTS; restart++) {
      next = await ServerProcess.prepare(options)
      crowd.begin()
      crowd.speak()
      const [, round] = await Promise.all([server.stop(), crowd.round(), next.listen()])
      server = next
      restarts.push(round)
      await crowd.finish()
    }
    expect(crowd.failures).toEqual([])
    clientMB = Math.round(process.memoryUsage.rss() / 2 ** 20)
    await crowd.close()
    await server.stop()
    const log = await readLog(
      db,
      pairs.map(([, , id]) => id),
    )
    wrong.push(...judge(log, crowd.made, crowd.views))
    messages = log.length
    if (log.length !== crowd.made.length) wrong.push(`${log.length} entries of ${crowd.made.length} sends`)
    for (const { device, shown } of crowd.views) if (shown[0]?.seq !== 1) wrong.push(`I7 ${device}: not from the start`)
    for (const { allMs, tries } of [...kills, ...restarts]) {
      if (allMs > BACK_MS) wrong.push(`it took ${allMs} ms until all were back`)
      for (const [count, users] of Object.entries(tries))
        if (Number(count) > TRIES) wrong.push(`${users} users needed ${count} tries`)
    }
    expect(wrong.slice(0, 20)).toEqual([])
  } catch (error) {
    if (String(error).includes('Hang')) hangs++
    if (wrong.length === 0) wrong.push(String(error))
    throw error
  } finally {
    summarize({
      name: 'reconnect storm',
      ...{ runs: kills.length + restarts.length, violations: wrong.length, hangs },
      seconds: Math.round((performance.now() - begun) / 1_000),
      details: { sockets: SOCKETS, messages, drainMs: DRAIN_MS, clientMB, kills, restarts, wrong: wrong.slice(0, 20) },
    })
    await crowd.close()
    await Promise.all([server.kill(), next?.kill()])
    await rm(directory, { recursive: true })
  }
}, 3_600_000)
