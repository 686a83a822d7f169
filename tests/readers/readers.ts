import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServerLimits } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'
import { judge, type LogEntry } from '../faults/oracle.js'
import { Audience } from './audience.js'
import { RadioServer } from './radio-server.js'

export interface ReadersOptions {
  /** Sockets that stop reading. */
  readers: number
  /** Pairs that talk all the time. */
  pairs: number
  /** Limits of the server that differ. */
  limits: Partial<ServerLimits>
  /** Messages per second and socket. */
  rate: number
  /** Of one message. */
  bytes: number
  /** @default 300000 */
  patienceMs?: number
}

export interface Findings {
  violations: string[]
  said: number
  /** The most that waited in the process for one socket, bytes. */
  buffered: number
  /** How much memory the server took more than when nothing was going on, bytes; and how much it may. */
  grown: number
  allowed: number
  stats: Record<string, number>
  /** What the readers' connections ended with, by code. */
  closes: Record<number, number>
  quiet: { words: number; p50: number; p99: number }
  loud: { words: number; p50: number; p99: number }
}

/** What one socket may hold (I12): the hard limit and one frame. */
export const PER_SOCKET = 1_048_576 + 65_536
/** What traffic itself costs a process for a while, whoever reads: garbage, and the buffers of healthy sockets. */
const SLACK = 96 * 2 ** 20
/** Words that the pairs say before it gets loud. */
const QUIET_WORDS = 400
/** Ms after which readers that are still there, or still behind, will be for ever. */
const HANG_MS = 300_000

/** Readers stop reading in a room where much is said, until the server lets go of them; then they come back. */
export async function stopReading(options: ReadersOptions): Promise<Findings> {
  const { readers, pairs } = options
  const directory = await mkdtemp(join(tmpdir(), 'kithwire-readers-'))
  const db = join(directory, 'chat.db')
  const server = await RadioServer.start({ db, patienceMs: HANG_MS, ...options })
  const audience = new Audience(`ws://127.0.0.1:${server.port}/chat/ws`, readers, pairs)
  try {
    await audience.online()
    audience.talk()
    await audience.said(QUIET_WORDS)
    const quiet = await audience.hush()
    const { rss } = await server.ask('memory')

    audience.shut()
    await server.ask('start')
    audience.talk()
    const state = await server.ask('end')
    const loud = await audience.hush()
    const said = await server.ask('stop')

    const violations: string[] = []
    if ((state.stats.closed_4008 ?? 0) < readers)
      violations.push(`Hang: only ${state.stats.closed_4008 ?? 0} of ${readers} readers were let go.`)
    audience.wake()
    await audience.caughtUp(said.length, HANG_MS)
    await audience.close()
    const made = [...audience.made, ...said.map((told) => ({ conversation: 'radio', from: 'radio', ...told }))]
    const log = await readLog(db, pairs)
    violations.push(...judge(log, made, audience.views))
    if (log.length !== made.length) violations.push(`${log.length} entries of ${made.length} sends`)
    const grown = state.rss - rss
    const allowed = readers * PER_SOCKET + SLACK
    if (grown > allowed) violations.push(`I12: the server grew by ${grown} bytes, more than ${allowed}.`)
    if (state.buffered > PER_SOCKET) violations.push(`I12: ${state.buffered} bytes waited for one socket.`)
    const { stats, buffered } = state
    const closes = Object.fromEntries(audience.closes)
    return { violations, said: said.length, buffered, grown, allowed, stats, closes, quiet, loud }
  } finally {
    await audience.close()
    await server.kill()
    await rm(directory, { recursive: true })
  }
}

async function readLog(db: string, pairs: number): Promise<LogEntry[]> {
  const store = sqlite(db)
  const log: LogEntry[] = []
  for (const conversation of ['radio', ...Array.from({ length: pairs }, (_, index) => `pair-${index}`)])
    for (let after = 0; ; ) {
      const page = await store.read(conversation, { after, limit: 200 })
      log.push(...page)
      if (page.length === 0) break
      after = page.at(-1)?.seq ?? after
    }
  await store.close()
  return log
}
