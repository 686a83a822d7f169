import { contentSize } from '@kithwire/protocol'
import type { OutboxItem, OutboxLimits } from '../client-store.js'
import { outboxPlaces } from './outbox-places.js'

const sizeOf = (item: OutboxItem): number => contentSize(item.content, item.meta)

const keyOf = ({ conversation, cid }: Pick<OutboxItem, 'conversation' | 'cid'>): string => `${conversation} ${cid}`

/** Rows that wait for an acknowledgement or were set aside, in their order, by conversation and cid. */
export class MemoryOutbox {
  private readonly conversations = new Map<string, Map<string, OutboxItem>>()
  /** Where each item stands in the order in which they were queued here; kept when it leaves, as a reset may put it back. */
  private readonly places = new Map<string, number>()
  private next = 0
  /** Rows that wait, and the bytes of their content. */
  private count = 0
  private bytes = 0

  get(conversation: string, cid: string): OutboxItem | undefined {
    return this.conversations.get(conversation)?.get(cid)
  }

  /** Whether a further item would pass a limit. */
  full(item: OutboxItem, { items, bytes, oldest }: OutboxLimits): boolean {
    if (this.count >= items || this.bytes + sizeOf(item) > bytes) return true
    return [...this.conversations.keys()].some((name) => (this.waiting(name, 1)[0]?.queuedAt ?? oldest) < oldest)
  }

  put(item: OutboxItem): void {
    const rows = this.conversations.get(item.conversation) ?? new Map<string, OutboxItem>()
    this.conversations.set(item.conversation, rows)
    // One that comes again after it has left is added now, and not where it was.
    if (!rows.has(item.cid)) this.places.set(keyOf(item), this.next++)
    this.weigh(rows.get(item.cid), -1)
    rows.set(item.cid, item)
    this.weigh(item, 1)
  }

  /**
   * Puts items, ascending by seq, back where they stood. Those that another device has sent follow the one before them,
   * of the log that is left if need be, or stand in front of all others.
   *
   * @param left cids of the user's own entries that stay in the log, the latest first
   */
  putBack(conversation: string, items: readonly OutboxItem[], left: Iterable<string>): void {
    let before = -1
    for (const cid of left) {
      before = this.places.get(`${conversation} ${cid}`) ?? -1
      if (before > -1) break
    }
    const known = items.map((item) => this.places.get(keyOf(item)))
    const places = outboxPlaces(known, before, this.places.values(), this.next)
    for (const [index, item] of items.entries()) this.places.set(keyOf(item), places[index]!)
    const placeOf = (item: OutboxItem) => this.places.get(keyOf(item))!
    const rows = [...items, ...(this.conversations.get(conversation)?.values() ?? [])]
    rows.sort((one, other) => placeOf(one) - placeOf(other))
    this.conversations.set(conversation, new Map(rows.map((row) => [row.cid, row])))
    for (const item of items) this.weigh(item, 1)
  }

  remove(conversation: string, cid: string): boolean {
    const rows = this.conversations.get(conversation)
    const row = rows?.get(cid)
    if (!rows || !row) return false
    this.weigh(row, -1)
    rows.delete(cid)
    if (rows.size === 0) this.conversations.delete(conversation)
    return true
  }

  clear(): void {
    this.conversations.clear()
    this.places.clear()
    this.count = this.bytes = 0
  }

  /** Rows that wait, at most `limit`. */
  waiting(conversation: string, limit: number): OutboxItem[] {
    const waiting: OutboxItem[] = []
    for (const row of this.conversations.get(conversation)?.values() ?? []) {
      if (waiting.length >= limit) break
      if (row.failed === undefined) waiting.push(row)
    }
    return waiting
  }

  /** Conversations with rows that wait. */
  names(): string[] {
    return [...this.conversations.keys()].filter((name) => this.waiting(name, 1).length > 0)
  }

  /** Rows that wait and rows that were set aside, of one conversation or of all. */
  all(conversation?: string): OutboxItem[] {
    const names = conversation === undefined ? [...this.conversations.keys()] : [conversation]
    return names.flatMap((name) => [...(this.conversations.get(name)?.values() ?? [])])
  }

  /** Every row, and where each cid stood. */
  copy(): { outbox: OutboxItem[]; places: [conversation: string, cid: string, place: number][] } {
    return {
      outbox: [...this.conversations.values()].flatMap((rows) => [...rows.values()]),
      places: [...this.places].map(([key, place]) => [...(key.split(' ') as [string, string]), place]),
    }
  }

  /** Where a cid stood, as a copy says. */
  restore(conversation: string, cid: string, place: number): void {
    this.places.set(keyOf({ conversation, cid }), place)
    this.next = Math.max(this.next, place + 1)
  }

  private weigh(row: OutboxItem | undefined, sign: 1 | -1): void {
    if (!row || row.failed !== undefined) return
    this.count += sign
    this.bytes += sign * sizeOf(row)
  }
}
