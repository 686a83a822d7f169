import { contentSize, type KithwireErrorCode } from '@kithwire/protocol'
import type { OutboxItem, OutboxLimits } from '../client-store.js'
import type { CidRecord } from './indexed-db-schema.js'
import type { Work } from './indexed-db-work.js'
import { outboxPlaces } from './outbox-places.js'

const sizeOf = (item: OutboxItem): number => contentSize(item.content, item.meta)

/** Where the last of the user's entries stood that the log still has, and whose place is known. */
function lastPlace(records: readonly CidRecord[]): number {
  let last = { seq: 0, place: -1 }
  for (const { seq = 0, place = -1 } of records) if (place > -1 && seq > last.seq) last = { seq, place }
  return last.place
}

/** Keys of one conversation, in a store whose keys begin with it. */
const within = (conversation: string) => IDBKeyRange.bound([conversation], [conversation, []])

/** The rows of one transaction: those that wait, and in a store of their own those that were set aside. */
export class IndexedDbOutbox {
  constructor(private readonly work: Work) {}

  async record(conversation: string, cid: string): Promise<CidRecord> {
    return (await this.work.cids.get([conversation, cid])) ?? {}
  }

  async get(conversation: string, { order, aside }: CidRecord): Promise<OutboxItem | undefined> {
    return order === undefined ? undefined : this.rows(aside).get([conversation, order])
  }

  /** Whether a further item would pass a limit. */
  async full(item: OutboxItem, { items, bytes, oldest }: OutboxLimits): Promise<boolean> {
    const meta = await this.work.meta()
    if (meta.count >= items || meta.bytes + sizeOf(item) > bytes) return true
    const first = await this.work.outbox.index('queuedAt').openKeyCursor()
    return first !== null && first.key < oldest
  }

  async add(item: OutboxItem, record: CidRecord): Promise<void> {
    await this.put(item, { ...record, place: (await this.work.edit()).next })
  }

  /** Takes a row out; undefined if there is none. Its record is changed with it, and is the caller's to keep. */
  async remove(conversation: string, record: CidRecord): Promise<OutboxItem | undefined> {
    const row = await this.get(conversation, record)
    if (!row) return undefined
    this.work.write(this.rows(record.aside).delete([conversation, record.order!]))
    if (!record.aside) await this.weigh(row, -1)
    delete record.order
    delete record.aside
    return row
  }

  async setAside(item: OutboxItem, record: CidRecord, code: KithwireErrorCode): Promise<void> {
    const { order } = record
    await this.remove(item.conversation, record)
    await this.put({ ...item, failed: code }, record, order)
  }

  /**
   * Puts items, ascending by seq, back where they stood. Those that another device has sent follow the one before them,
   * of the log that is left if need be, or stand in front of all others.
   */
  async putBack(conversation: string, items: readonly OutboxItem[]): Promise<void> {
    const rows: { item: OutboxItem; record: CidRecord }[] = []
    const records: CidRecord[] = []
    for (const { cid } of items) records.push(await this.record(conversation, cid))
    const known = records.map(({ place }) => place)
    const all = await this.work.cids.getAll(within(conversation))
    const taken = all.flatMap(({ place }) => place ?? [])
    const places = outboxPlaces(known, lastPlace(all), taken, (await this.work.edit()).next)
    for (const [index, item] of items.entries())
      rows.push({ item, record: { ...records[index]!, place: places[index]! } })
    for (const { cid } of await this.all(conversation)) {
      const record = await this.record(conversation, cid)
      rows.push({ item: (await this.remove(conversation, record))!, record })
    }
    rows.sort((one, other) => one.record.place! - other.record.place!)
    for (const { item, record } of rows) await this.put(item, record)
  }

  /** Rows that wait, at most `limit`. */
  waiting(conversation: string, limit: number): Promise<OutboxItem[]> {
    return this.work.outbox.getAll(within(conversation), limit)
  }

  /** Rows that wait and rows that were set aside, of one conversation or of all: per conversation in order. */
  async all(conversation?: string): Promise<OutboxItem[]> {
    const range = conversation === undefined ? null : within(conversation)
    const rows: { item: OutboxItem; order: number }[] = []
    for (const store of [this.work.outbox, this.work.failed]) {
      const keys = await store.getAllKeys(range)
      const items = await store.getAll(range)
      for (const [index, [, order]] of keys.entries()) rows.push({ item: items[index]!, order })
    }
    return rows.sort((one, other) => one.order - other.order).map(({ item }) => item)
  }

  /** Conversations with rows that wait. */
  async names(): Promise<string[]> {
    const names: string[] = []
    let cursor = await this.work.outbox.openKeyCursor()
    while (cursor) {
      const [conversation] = cursor.key
      names.push(conversation)
      // Past its rows: in the order of keys an array comes after every number.
      cursor = await cursor.continue([conversation, []] as never)
    }
    return names
  }

  private rows(aside = false) {
    return aside ? this.work.failed : this.work.outbox
  }

  /** Puts a row behind all others, or where it is said. */
  private async put(item: OutboxItem, { aside: _, ...rest }: CidRecord, at?: number): Promise<void> {
    const { conversation, cid } = item
    const order = at ?? (await this.work.edit()).next++
    const aside = item.failed !== undefined
    if (!aside) await this.weigh(item, 1)
    this.work.write(this.rows(aside).put(item, [conversation, order]))
    this.work.write(this.work.cids.put({ ...rest, order, ...(aside && { aside }) }, [conversation, cid]))
  }

  private async weigh(item: OutboxItem, sign: 1 | -1): Promise<void> {
    const meta = await this.work.edit()
    meta.count += sign
    meta.bytes += sign * sizeOf(item)
  }
}
