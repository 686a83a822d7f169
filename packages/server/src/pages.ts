import { type IMessage, PROTOCOL_LIMITS, utf8Length } from '@kithwire/protocol'
import { jsonLength } from './frame-text.js'
import { type Entry, type Head, type Range, type Store, toMessage } from './store.js'

/** A window of a log, as far as it fits into one page. */
export interface Page {
  items: IMessage[]
  head: number
  first: number
  /** What the log had below `first`, where the device has not got so far. */
  tail?: string
  /** Whether there is more in the direction of reading. */
  more: boolean
}

/** The log does not continue what the device has: `id` is what it has at `to`, for the search of the last common entry. */
export interface Reset {
  to: number
  id: string
}

/** Bytes of the names, numbers and quotes of a message as JSON, about. */
const FRAME_BYTES = 160

const sizeOf = ({ id, conversation, from, cid, content, meta, ref }: Entry) =>
  FRAME_BYTES +
  id.length +
  conversation.length +
  cid.length +
  (ref === undefined ? 0 : 128 + utf8Length(ref[0])) +
  2 * utf8Length(from) +
  jsonLength(content) +
  (meta === undefined ? 0 : utf8Length(JSON.stringify(meta)))

const tailOf = (id: string): string => id.slice(-8)

/**
 * The tail at `seq`: of the first of these entries, which is taken out, if it is that one; else as the store knows it,
 * since retention may have blanked it.
 */
export async function takeTail(store: Store, conversation: string, seq: number, entries: Entry[]): Promise<string> {
  return entries[0]?.seq === seq ? tailOf(entries.shift()!.id) : store.tail(conversation, seq)
}

/** The entries that fit into one page, from the front or from the back; at least one if there is one. */
export function fit(entries: readonly Entry[], from: 'front' | 'back'): Entry[] {
  const page: Entry[] = []
  let bytes = 0
  for (const entry of from === 'front' ? entries : [...entries].reverse()) {
    bytes += sizeOf(entry)
    if (page.length > 0 && (bytes > PROTOCOL_LIMITS.pageBytes || page.length === PROTOCOL_LIMITS.page)) break
    page.push(entry)
  }
  return from === 'front' ? page : page.reverse()
}

/** What the log has at `to`; the id is empty at 0, and where retention has taken it out of reach. */
export async function resetTo(store: Store, conversation: string, to: number): Promise<Reset> {
  if (to === 0) return { to, id: '' }
  const [entry] = await store.read(conversation, { before: to + 1, limit: 1 })
  return { to, id: entry?.seq === to ? entry.id : '' }
}

/**
 * One page of a log.
 *
 * @param tail what the device has at `after`; empty if it does not know. Another one there, or `after` beyond the head,
 *   makes a reset of the page. Rejects as the store does.
 */
export async function readPage(
  store: Store,
  conversation: string,
  members: readonly string[],
  range: Range,
  tail = '',
): Promise<Page | { reset: Reset }> {
  const after = 'after' in range ? range.after : undefined
  const verify = after !== undefined && after > 0 && tail !== ''
  // Together, since each call to a store is a way to another thread or machine and back.
  const [[head], entries] = await Promise.all([
    store.heads([conversation]) as Promise<[Head]>,
    store.read(conversation, verify ? { after: after - 1, limit: range.limit + 1 } : range),
  ])
  if (after !== undefined && after > head.head) return { reset: await resetTo(store, conversation, head.head) }
  if (verify) {
    if ((await takeTail(store, conversation, after, entries)) !== tail)
      return { reset: await resetTo(store, conversation, after - 1) }
  }
  // Retention may have come between the two.
  const left = entries.filter(({ seq }) => seq >= head.first)
  const page = fit(left.slice(0, range.limit), after === undefined ? 'back' : 'front')
  const items = page.map((entry) => toMessage(entry, members))
  const last = items.at(-1)?.seq ?? 0
  const more = items.length > 0 && (after === undefined ? items[0]!.seq > head.first : last < head.head)
  const passed = after !== undefined && after + 1 < head.first
  return {
    items,
    head: Math.max(head.head, last),
    first: head.first,
    ...(passed && { tail: await store.tail(conversation, head.first - 1) }),
    more,
  }
}
