import type { HeadTuple, IMessage, KithwireErrorCode, MarkTuple } from '@kithwire/protocol'
import {
  type Applied,
  type ClientStore,
  type ConversationState,
  type DeviceIdentity,
  mergeMarks,
  type OutboxItem,
  type OutboxLimits,
  queuedAgain,
  type ResetPoint,
  type SendOutcome,
  type StoreChange,
  sameContent,
  startOf,
  tailOf,
} from '../client-store.js'
import { met, moved, movedBack, type PlaceChange, type Recount, recounted, withEntry } from '../unread.js'
import { MemoryOutbox } from './memory-outbox.js'

interface Row {
  state: ConversationState
  /** Ascending by seq. */
  log: IMessage[]
  /** The user's own entries in the log, by cid. */
  own: Map<string, IMessage>
}

/**
 * A client store in memory: the reference for others, and what a client uses that was given none. It ends with the
 * process. What it holds grows with each message that arrives.
 */
export class MemoryClientStore implements ClientStore {
  readonly durable: boolean = false
  private readonly keepMessages: number
  protected identity: DeviceIdentity | undefined
  protected readonly rows = new Map<string, Row>()
  protected readonly outbox = new MemoryOutbox()
  private readonly watchers = new Set<(change: StoreChange) => void>()
  private leaders: (() => void)[] = []

  /** @param options.keepMessages see `indexedDb` @default all */
  constructor({ keepMessages = Number.POSITIVE_INFINITY }: { keepMessages?: number } = {}) {
    this.keepMessages = keepMessages
  }

  async attempt(fresh: string): Promise<DeviceIdentity> {
    this.identity ??= { device: fresh, attempt: 0, seeded: false }
    this.identity.device ||= fresh
    this.identity.attempt++
    return { ...this.identity }
  }

  async renew(old: string, fresh: string): Promise<void> {
    if (this.identity?.device === old) this.identity = { ...this.identity, device: fresh, attempt: 0 }
  }

  async claim(user: string): Promise<string> {
    this.identity ??= { device: '', attempt: 0, seeded: false }
    this.identity.user ??= user
    return this.identity.user
  }

  async conversations(): Promise<ConversationState[]> {
    return [...this.rows.values()].map((row) => row.state)
  }

  async conversation(conversation: string): Promise<ConversationState | undefined> {
    return this.rows.get(conversation)?.state
  }

  async meet(
    heads: readonly HeadTuple[],
    welcome?: { epoch: string; after: ReadonlyMap<string, number> },
  ): Promise<ConversationState[]> {
    const seeded = this.identity?.seeded ?? false
    const states = heads.map((head) => {
      const [conversation, , , , , , marks] = head
      const row = this.rows.get(conversation)
      if (row) {
        this.merge(row, marks)
        this.shift(row, met(row.state, head, welcome !== undefined))
        return row.state
      }
      const state = startOf(head, seeded, welcome?.after.get(conversation))
      this.rows.set(conversation, { state, log: [], own: new Map() })
      this.tell({ kind: 'applied', conversation })
      if (marks.length > 0) this.tell({ kind: 'marks', conversation, marks })
      return state
    })
    if (welcome && this.identity) this.identity = { ...this.identity, epoch: welcome.epoch, seeded: true }
    return states
  }

  async apply(conversation: string, items: readonly IMessage[]): Promise<Applied> {
    const row = this.rows.get(conversation)
    if (!row) return { state: undefined, added: 0 }
    const changes: StoreChange[] = []
    let added = 0
    for (const item of items) {
      const own = item.from === this.identity?.user
      if (item.seq > row.state.applied + 1) break
      if (item.seq === row.state.applied + 1) {
        row.log.push(item)
        if (own) row.own.set(item.cid, item)
        row.state = withEntry({ ...row.state, applied: item.seq, tail: tailOf(item.id) }, item, this.identity?.user)
        added++
      }
      const { cid, seq, id, createdAt: at } = item
      if (own && this.outbox.remove(conversation, cid)) changes.push({ kind: 'sent', conversation, cid, seq, id, at })
    }
    if (row.log.length >= 2 * this.keepMessages) this.trim(row)
    for (const change of changes) this.tell(change)
    if (added > 0) this.tell({ kind: 'applied', conversation })
    return { state: row.state, added }
  }

  async skip(conversation: string, from: number, to: number, tail: string): Promise<boolean> {
    const row = this.rows.get(conversation)
    if (row?.state.applied !== from || to <= from) return false
    row.state = { ...row.state, applied: to, tail, counted: Math.max(to, row.state.counted) }
    this.tell({ kind: 'gap', conversation, from: from + 1, to })
    return true
  }

  async reset(conversation: string, point: ResetPoint): Promise<boolean> {
    const row = this.rows.get(conversation)
    if (!row || row.state.resets.length !== point.resets) return false
    const { to, at } = point
    const from = row.log.findIndex((entry) => entry.seq > to)
    const dropped = from < 0 ? [] : row.log.splice(from)
    const back = dropped
      .filter((entry) => row.own.delete(entry.cid) && entry.content !== '')
      .map((entry) => queuedAgain(entry, at))
    const left = [...row.own.keys()]
    this.outbox.putBack(conversation, back, left.reverse())
    const recount = movedBack(row.state, point)
    row.state = recounted(recount, this.above(row, recount.after), this.identity?.user)
    this.tell({ kind: 'reset', conversation })
    for (const { cid } of back) this.tell({ kind: 'queued', conversation, cid })
    return true
  }

  async mark(conversation: string, others: readonly MarkTuple[]): Promise<void> {
    const row = this.rows.get(conversation)
    if (row) this.merge(row, others)
  }

  async move(conversation: string, change: PlaceChange): Promise<void> {
    const row = this.rows.get(conversation)
    if (row) this.shift(row, moved(row.state, change))
  }

  async messages(conversation: string, after: number, limit: number): Promise<IMessage[]> {
    const log = this.rows.get(conversation)?.log ?? []
    const from = indexAfter(log, after)
    return log.slice(from, from + limit)
  }

  async last(conversation: string, at: number): Promise<IMessage | undefined> {
    const log = this.rows.get(conversation)?.log ?? []
    return log[indexAfter(log, at) - 1]
  }

  async enqueue(item: OutboxItem, limits: OutboxLimits): Promise<'queued' | 'present' | 'conflict' | 'full'> {
    const { conversation, cid } = item
    const same = this.outbox.get(conversation, cid) ?? this.rows.get(conversation)?.own.get(cid)
    if (same) return sameContent(same, item) ? 'present' : 'conflict'
    if (this.outbox.full(item, limits)) return 'full'
    this.outbox.put(item)
    this.tell({ kind: 'queued', conversation, cid })
    return 'queued'
  }

  async waiting(): Promise<string[]> {
    return this.outbox.names()
  }

  async queued(conversation: string, limit: number): Promise<OutboxItem[]> {
    return this.outbox.waiting(conversation, limit)
  }

  async outgoing(conversation?: string): Promise<OutboxItem[]> {
    return this.outbox.all(conversation)
  }

  async fail(conversation: string, cid: string, code: KithwireErrorCode, attempt?: number): Promise<boolean> {
    const row = this.outbox.get(conversation, cid)
    if (!row || row.failed !== undefined) return false
    if (attempt !== undefined && attempt !== this.identity?.attempt) return false
    this.outbox.put({ ...row, failed: code })
    this.tell({ kind: 'failed', conversation, cid, code })
    return true
  }

  async discard(conversation: string, cid: string): Promise<void> {
    if (this.outbox.get(conversation, cid)?.failed === undefined) return
    this.outbox.remove(conversation, cid)
    this.tell({ kind: 'discarded', conversation, cid })
  }

  async retry(conversation: string, cid: string, fresh: { cid: string; queuedAt: number }): Promise<boolean> {
    const row = this.outbox.get(conversation, cid)
    if (row?.failed === undefined) return false
    const { failed: _, ...content } = row
    this.outbox.remove(conversation, cid)
    this.outbox.put({ ...content, ...fresh })
    this.tell({ kind: 'discarded', conversation, cid })
    this.tell({ kind: 'queued', conversation, cid: fresh.cid })
    return true
  }

  async outcome(conversation: string, cid: string): Promise<SendOutcome | undefined> {
    const row = this.outbox.get(conversation, cid)
    if (row) return row.failed === undefined ? { state: 'queued' } : { state: 'failed', code: row.failed }
    const entry = this.rows.get(conversation)?.own.get(cid)
    return entry && { state: 'stored', seq: entry.seq, id: entry.id, at: entry.createdAt }
  }

  watch(look: (change: StoreChange) => void): () => void {
    this.watchers.add(look)
    return () => void this.watchers.delete(look)
  }

  tell(change: StoreChange): void {
    for (const look of [...this.watchers]) look(change)
  }

  lead(granted: () => void): () => void {
    const entry = () => granted()
    if (this.leaders.push(entry) === 1) entry()
    return () => {
      const first = this.leaders[0] === entry
      this.leaders = this.leaders.filter((other) => other !== entry)
      if (first) this.leaders[0]?.()
    }
  }

  async wipe(): Promise<void> {
    this.identity = undefined
    this.rows.clear()
    this.outbox.clear()
    this.tell({ kind: 'wiped' })
  }

  async close(): Promise<void> {
    this.watchers.clear()
  }

  private trim(row: Row): void {
    const old = row.log.splice(0, row.log.length - this.keepMessages)
    for (const { cid } of old) row.own.delete(cid)
    const { seq, id } = old.at(-1)!
    row.state = { ...row.state, base: seq, baseTail: tailOf(id) }
  }

  private merge(row: Row, others: readonly MarkTuple[]): void {
    const { conversation } = row.state
    const { marks, grown } = mergeMarks(row.state.marks, others)
    if (grown.length === 0) return
    row.state = { ...row.state, marks }
    this.tell({ kind: 'marks', conversation, marks: grown })
  }

  private shift(row: Row, recount: Recount | undefined): void {
    if (!recount) return
    const { conversation, read } = row.state
    row.state = recounted(recount, this.above(row, recount.after), this.identity?.user)
    this.tell({ kind: row.state.read > read ? 'read' : 'unread', conversation })
  }

  private above({ log }: Row, after: number): IMessage[] {
    return log.slice(indexAfter(log, after))
  }
}

/** The first index whose seq is above `after`: binary search. */
function indexAfter(log: readonly IMessage[], after: number): number {
  let low = 0
  let high = log.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (log[middle]!.seq > after) high = middle
    else low = middle + 1
  }
  return low
}
