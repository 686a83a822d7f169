import { type Call, readTrace } from './strace.js'

export interface SyncOrder {
  /** Acknowledged entries that were found in the trace, by their ids. */
  acknowledged: Set<string>
  /** Syncs of the write-ahead log that succeeded. */
  syncs: number
  violations: string[]
}

/** Entries that may be on their way at once: so far ahead the log is searched for them. */
const WINDOW = 300
const isSocket = (to: string) => /^(TCP|socket:)/.test(to)
const isLog = (to: string) => to.endsWith('-wal')

/**
 * Checks that nothing of an entry, not its acknowledgement and not the entry itself, is written to a socket before the
 * write-ahead log has been synced with it, up to a frame that ends a transaction: the sync must have begun after that
 * write and have succeeded before the write to the socket begins. Entries are known by their ids, which the store makes
 * and acknowledgements carry.
 */
export async function checkSyncOrder(trace: string): Promise<SyncOrder> {
  const order: SyncOrder = { acknowledged: await acknowledgedIn(trace), syncs: 0, violations: [] }
  const log = new Log([...order.acknowledged])
  for await (const call of readTrace(trace)) {
    if (call.do === 'write' && isSocket(call.to)) {
      for (const id of idsIn(call.bytes))
        if (order.acknowledged.has(id) && !log.synced.has(id))
          order.violations.push(`${id} was sent ${log.written.has(id) ? 'before its sync' : 'before it was written'}`)
    } else if (isLog(call.to)) {
      log.take(call)
      if (call.do === 'synced') order.syncs++
    }
  }
  for (const id of order.acknowledged) if (!log.synced.has(id)) order.violations.push(`${id} was never synced`)
  return order
}

async function acknowledgedIn(trace: string): Promise<Set<string>> {
  const ids = new Set<string>()
  const unfinished = new Map<string, string>()
  for await (const call of readTrace(trace)) {
    if (call.do !== 'write' || !isSocket(call.to)) continue
    const text = (unfinished.get(call.to) ?? '') + call.bytes
    // Frames of a server are not masked: each starts with 0x81, a byte that no acknowledgement holds.
    const frames = text.split('\x81')
    unfinished.set(call.to, frames.at(-1)!)
    for (const frame of frames) if (frame.includes('"t":"ack"')) for (const id of idsIn(frame)) ids.add(id)
  }
  return ids
}

const idsIn = (text: string) => [...text.matchAll(/"id":"([A-Za-z0-9_-]{22})"/g)].map(([, id]) => id!)

/** What is in the write-ahead log, and what of it is durable. */
class Log {
  readonly written = new Set<string>()
  readonly synced = new Set<string>()
  /** Written since the last frame that ended a transaction. */
  private open = new Set<string>()
  private committed = new Set<string>()
  private readonly syncing = new Map<string, Set<string>>()
  private ends = false

  /** @param expected ids, about in the order in which they were stored */
  constructor(private readonly expected: string[]) {}

  take(call: Call): void {
    if (call.do === 'sync') {
      this.syncing.set(call.thread, this.committed)
      this.committed = new Set()
    } else if (call.do === 'synced') for (const id of this.syncing.get(call.thread) ?? []) this.synced.add(id)
    else if (call.bytes.length === FRAME_HEADER) this.ends = call.bytes.slice(4, 8) !== '\0\0\0\0'
    else this.page(call.bytes)
  }

  private page(bytes: string): void {
    for (let index = 0; index < Math.min(WINDOW, this.expected.length); index++) {
      const id = this.expected[index]!
      if (!bytes.includes(id)) continue
      this.expected.splice(index--, 1)
      this.written.add(id)
      this.open.add(id)
    }
    if (!this.ends) return
    for (const id of this.open) this.committed.add(id)
    this.open = new Set()
  }
}

/**
 * Bytes in front of each page in the log; bytes 4 to 7 are 0 except in the last frame of a transaction, where they are
 * the size of the database (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
 */
const FRAME_HEADER = 24
