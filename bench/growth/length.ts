import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { newCid, systemRuntime } from '@kithwire/protocol'
import type { SqliteStore } from '@kithwire/server/sqlite'
import { bodyOf } from '../load/line.js'

/** What things cost in a conversation of this length, µs of processor time. */
export interface LengthRow {
  entries: number
  append: number
  newest: number
  anywhere: number
  head: number
}

const CONVERSATION = 'growth'
/** Entries of one append: what a busy server brings together. */
const BATCH = 128
const PAGE = 50
/** How often each thing is done to be measured. */
const TIMES = 400
const WARM_UPS = 100

/** Fills one conversation to each power of ten and measures there. The file stays, and is gone on with. */
export async function lengthGrowth(root: string, directory: string, to: number): Promise<LengthRow[]> {
  mkdirSync(directory, { recursive: true })
  const module = pathToFileURL(join(root, 'packages/server/dist/sqlite.js')).href
  const { sqlite }: typeof import('@kithwire/server/sqlite') = await import(module)
  const rows: LengthRow[] = []
  for (let entries = 1_000; entries <= to; entries *= 10) {
    // A file for each size, since measuring makes it longer.
    const store = sqlite(join(directory, `${entries}.db`), { thread: false })
    await fill(store, entries)
    rows.push({ entries, ...(await measure(store, entries)) })
    await store.close()
  }
  return rows
}

async function headOf(store: SqliteStore): Promise<number> {
  return (await store.heads([CONVERSATION]))[0]!.head
}

async function fill(store: SqliteStore, entries: number): Promise<void> {
  for (let head = await headOf(store); head < entries; head += BATCH) {
    if (head % (BATCH * 400) === 0) process.stderr.write(`\r\x1b[K${head} of ${entries}`)
    await append(store, head)
  }
  process.stderr.write('\r\x1b[K')
}

/** Two who write to each other, as many times as one append holds. */
async function append(store: SqliteStore, head: number): Promise<void> {
  await store.append(
    Array.from({ length: BATCH }, (_, index) => ({
      conversation: CONVERSATION,
      from: `user-${index & 1}`,
      items: [{ cid: newCid(systemRuntime), type: 'text', content: bodyOf(head + index) }],
    })),
  )
}

async function measure(store: SqliteStore, entries: number): Promise<Omit<LengthRow, 'entries'>> {
  const anywhere = () => store.read(CONVERSATION, { after: Math.floor(Math.random() * (entries - PAGE)), limit: PAGE })
  const newest = () => store.read(CONVERSATION, { before: Number.MAX_SAFE_INTEGER, limit: PAGE })
  // Reads first: appends make the conversation longer.
  return {
    newest: (await timeOf(newest, TIMES)) / PAGE,
    anywhere: (await timeOf(anywhere, TIMES)) / PAGE,
    head: await timeOf(() => headOf(store), TIMES),
    append: (await timeOf(() => append(store, entries), TIMES / 10)) / BATCH,
  }
}

/** Processor time of one call, µs. */
async function timeOf(call: () => Promise<unknown>, times: number): Promise<number> {
  for (let time = 0; time < Math.min(WARM_UPS, times); time++) await call()
  const before = process.cpuUsage()
  for (let time = 0; time < times; time++) await call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}
