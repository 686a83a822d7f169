import { contentSize } from '@kithwire/protocol'
import type { OutboxItem, OutboxLimits } from '../client-store.js'

const sizeOf = (item: OutboxItem): number => contentSize(item.content, item.meta)

interface Row {
  item: OutboxItem
  /** Its place in the order in which this device's messages were queued. */
  place: number
}

/** Rows that wait for an acknowledgement or were set aside, in their order, by conversation and cid. */
export class MemoryOutbox {
  private readonly conversations = new Map<string, Map<string, Row>>()
  private places = 0
  /** Rows that wait, and the bytes of their content. */
  private count = 0
  private bytes = 0

  get(conversation: string, cid: string): OutboxItem | undefined {
    return this.conversations.get(conversation)?.get(cid)?.item
  }

  /** Whether a further item would pass a limit. */
  full(item: OutboxItem, { items, bytes, oldest }: OutboxLimits): boolean {
    if (this.count >= items || this.bytes + sizeOf(item) > bytes) return true
    return [...this.conversations.keys()].some((name) => (this.waiting(name, 1)[0]?.queuedAt ?? oldest) < oldest)
  }

  put(item: OutboxItem): void {
    const rows = this.conversations.get(item.conversation) ?? new Map<string, Row>()
    this.conversations.set(item.conversation, rows)
    const old = rows.get(item.cid)
    this.weigh(old?.item, -1)
    rows.set(item.cid, { item, place: old?.place ?? ++this.places })
    this.weigh(item, 1)
  }

  /**
   * Puts items back where they were before they were removed.
   *
   * @param items ascending by seq, each with the place that `remove` named; those without one, which another device
   *   has sent, follow the one before them, or stand in front of all others
   */
  putBack(conversation: string, items: readonly { item: OutboxItem; place: number | undefined }[]): void {
    const rows = [...(this.conversations.get(conversation)?.values() ?? [])]
    let before = 0
    const back = items.map(({ item, place }): Row => {
      before = place ?? before
      return { item, place: before }
    })
    const all = [...back, ...rows].sort((one, other) => one.place - other.place)
    this.conversations.set(conversation, new Map(all.map((row) => [row.item.cid, row])))
    for (const { item } of items) this.weigh(item, 1)
  }

  /** Answers with the place that the row had, or undefined if there was none. */
  remove(conversation: string, cid: string): number | undefined {
    const rows = this.conversations.get(conversation)
    const row = rows?.get(cid)
    if (!rows || !row) return undefined
    this.weigh(row.item, -1)
    rows.delete(cid)
    if (rows.size === 0) this.conversations.delete(conversation)
    return row.place
  }

  /** Rows that wait, at most `limit`. */
  waiting(conversation: string, limit: number): OutboxItem[] {
    const waiting: OutboxItem[] = []
    for (const { item } of this.conversations.get(conversation)?.values() ?? []) {
      if (waiting.length >= limit) break
      if (item.failed === undefined) waiting.push(item)
    }
    return waiting
  }

  /** Conversations with rows that wait. */
  names(): string[] {
    return [...this.conversations.keys()].filter((name) => this.waiting(name, 1).length > 0)
  }

  /** Rows that were set aside. */
  failed(): OutboxItem[] {
    return [...this.conversations.values()].flatMap((rows) =>
      [...rows.values()].map(({ item }) => item).filter((item) => item.failed !== undefined),
    )
  }

  private weigh(item: OutboxItem | undefined, sign: 1 | -1): void {
    if (!item || item.failed !== undefined) return
    this.count += sign
    this.bytes += sign * sizeOf(item)
  }
}
