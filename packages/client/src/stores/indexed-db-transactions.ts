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
  sameContent,
  startOf,
  tailOf,
} from '../client-store.js'
import { met, moved, movedBack, type PlaceChange, type Recount, recounted, withEntry } from '../unread.js'
import { IndexedDbOutbox } from './indexed-db-outbox.js'
import type { CidRecord, ConversationRow } from './indexed-db-schema.js'
import type { Work } from './indexed-db-work.js'
import type { TransactionName } from './transactions.js'

/** Entries of one conversation with `after < seq ≤ to`. */
const between = (conversation: string, after: number, to: number) =>
  IDBKeyRange.bound([conversation, after], [conversation, to], true)

/** The rules of the contract, within one transaction; `MemoryClientStore` has the same without one. */
export class IndexedDbTransactions implements Pick<ClientStore, TransactionName> {
  private readonly outbox: IndexedDbOutbox

  constructor(
    private readonly work: Work,
    private readonly keepMessages: number,
  ) {
    this.outbox = new IndexedDbOutbox(work)
  }

  async attempt(fresh: string): Promise<DeviceIdentity> {
    const meta = await this.work.edit()
    const { device = '', attempt = 0, seeded = false } = meta.identity ?? {}
    meta.identity = { ...meta.identity, device: device || fresh, attempt: attempt + 1, seeded }
    return meta.identity
  }

  async renew(old: string, fresh: string): Promise<void> {
    const meta = await this.work.edit()
    if (meta.identity?.device === old) meta.identity = { ...meta.identity, device: fresh, attempt: 0 }
  }

  async claim(user: string): Promise<string> {
    const meta = await this.work.edit()
    meta.identity ??= { device: '', attempt: 0, seeded: false }
    meta.identity.user ??= user
    return meta.identity.user
  }

  async conversations(): Promise<ConversationState[]> {
    return (await this.work.conversations.getAll()).map((row) => row.state)
  }

  async conversation(conversation: string): Promise<ConversationState | undefined> {
    return (await this.work.conversations.get(conversation))?.state
  }

  async meet(
    heads: readonly HeadTuple[],
    welcome?: { epoch: string; after: ReadonlyMap<string, number> },
  ): Promise<ConversationState[]> {
    const meta = await this.work.meta()
    const seeded = meta.identity?.seeded ?? false
    const states: ConversationState[] = []
    for (const head of heads) {
      const [conversation, , , , , , marks] = head
      const row = await this.work.conversations.get(conversation)
      if (row) {
        const merged = { ...row, state: this.merge(row, marks) }
        states.push(await this.shift(merged, met(merged.state, head, welcome !== undefined)))
        continue
      }
      const state = startOf(head, seeded, welcome?.after.get(conversation))
      this.keep({ conversation, state, held: 0 })
      this.work.tell({ kind: 'applied', conversation })
      if (marks.length > 0) this.work.tell({ kind: 'marks', conversation, marks })
      states.push(state)
    }
    if (welcome && meta.identity) {
      const { identity } = await this.work.edit()
      meta.identity = { ...identity!, epoch: welcome.epoch, seeded: true }
    }
    return states
  }

  async apply(conversation: string, items: readonly IMessage[]): Promise<Applied> {
    const { work, outbox } = this
    const row = await work.conversations.get(conversation)
    if (!row) return { state: undefined, added: 0 }
    const { identity } = await work.meta()
    const records = new Map<string, CidRecord>()
    let { state } = row
    let added = 0
    for (const item of items) {
      const { cid, seq, id, createdAt: at } = item
      if (seq > state.applied + 1) break
      const follows = seq === state.applied + 1
      if (follows) {
        work.write(work.entries.put(item))
        state = withEntry({ ...state, applied: seq, tail: tailOf(id) }, item, identity?.user)
        added++
      }
      if (item.from !== identity?.user) continue
      const record = records.get(cid) ?? (await outbox.record(conversation, cid))
      records.set(cid, record)
      const sent = (await outbox.remove(conversation, record)) !== undefined
      if (follows) record.seq = seq
      if (sent || follows) work.write(work.cids.put(record, [conversation, cid]))
      if (sent) work.tell({ kind: 'sent', conversation, cid, seq, id, at })
    }
    if (added === 0) return { state, added }
    work.tell({ kind: 'applied', conversation })
    let held = row.held + added
    if (held >= 2 * this.keepMessages) {
      state = { ...state, ...(await this.trim(conversation, identity?.user, held - this.keepMessages)) }
      held = this.keepMessages
    }
    this.keep({ conversation, state, held })
    return { state, added }
  }

  async skip(conversation: string, from: number, to: number, tail: string): Promise<boolean> {
    const row = await this.work.conversations.get(conversation)
    if (row?.state.applied !== from || to <= from) return false
    this.keep({ ...row, state: { ...row.state, applied: to, tail, counted: Math.max(to, row.state.counted) } })
    this.work.tell({ kind: 'gap', conversation, from: from + 1, to })
    return true
  }

  async reset(conversation: string, point: ResetPoint): Promise<boolean> {
    const { work } = this
    const row = await work.conversations.get(conversation)
    if (!row || row.state.resets.length !== point.resets) return false
    const { to, at } = point
    const { identity } = await work.meta()
    const range = between(conversation, to, Number.POSITIVE_INFINITY)
    const dropped = await work.entries.getAll(range)
    work.write(work.entries.delete(range))
    const back: OutboxItem[] = []
    for (const entry of dropped) {
      const { from, cid, content } = entry
      if (from !== identity?.user) continue
      const { seq: _, ...record } = await this.outbox.record(conversation, cid)
      work.write(work.cids.put(record, [conversation, cid]))
      if (content !== '') back.push(queuedAgain(entry, at))
    }
    if (back.length > 0) await this.outbox.putBack(conversation, back)
    const recount = movedBack(row.state, point)
    const kept = await work.entries.getAll(between(conversation, recount.after, Number.POSITIVE_INFINITY))
    const next = recounted(recount, kept, identity?.user)
    this.keep({ conversation, state: next, held: row.held - dropped.length })
    work.tell({ kind: 'reset', conversation })
    for (const { cid } of back) work.tell({ kind: 'queued', conversation, cid })
    return true
  }

  async mark(conversation: string, others: readonly MarkTuple[]): Promise<void> {
    const row = await this.work.conversations.get(conversation)
    if (row) this.merge(row, others)
  }

  async move(conversation: string, change: PlaceChange): Promise<void> {
    const row = await this.work.conversations.get(conversation)
    if (row) await this.shift(row, moved(row.state, change))
  }

  messages(conversation: string, after: number, limit: number): Promise<IMessage[]> {
    return this.work.entries.getAll(between(conversation, after, Number.POSITIVE_INFINITY), limit)
  }

  async last(conversation: string, at: number): Promise<IMessage | undefined> {
    const range = between(conversation, Number.NEGATIVE_INFINITY, at)
    return (await this.work.entries.openCursor(range, 'prev'))?.value
  }

  async enqueue(item: OutboxItem, limits: OutboxLimits): Promise<'queued' | 'present' | 'conflict' | 'full'> {
    const { conversation, cid } = item
    const record = await this.outbox.record(conversation, cid)
    const entry = record.seq !== undefined && (await this.work.entries.get([conversation, record.seq]))
    const same = (await this.outbox.get(conversation, record)) ?? (entry || undefined)
    if (same) return sameContent(same, item) ? 'present' : 'conflict'
    if (await this.outbox.full(item, limits)) return 'full'
    await this.outbox.add(item, record)
    this.work.tell({ kind: 'queued', conversation, cid })
    return 'queued'
  }

  waiting(): Promise<string[]> {
    return this.outbox.names()
  }

  queued(conversation: string, limit: number): Promise<OutboxItem[]> {
    return this.outbox.waiting(conversation, limit)
  }

  outgoing(conversation?: string): Promise<OutboxItem[]> {
    return this.outbox.all(conversation)
  }

  async fail(conversation: string, cid: string, code: KithwireErrorCode, attempt?: number): Promise<boolean> {
    const record = await this.outbox.record(conversation, cid)
    const row = await this.outbox.get(conversation, record)
    if (row?.failed !== undefined || !row) return false
    if (attempt !== undefined && attempt !== (await this.work.meta()).identity?.attempt) return false
    await this.outbox.setAside(row, record, code)
    this.work.tell({ kind: 'failed', conversation, cid, code })
    return true
  }

  async discard(conversation: string, cid: string): Promise<void> {
    await this.takeAside(conversation, cid)
  }

  async retry(conversation: string, cid: string, fresh: { cid: string; queuedAt: number }): Promise<boolean> {
    const row = await this.takeAside(conversation, cid)
    if (!row) return false
    const { failed: _, ...content } = row
    await this.outbox.add({ ...content, ...fresh }, await this.outbox.record(conversation, fresh.cid))
    this.work.tell({ kind: 'queued', conversation, cid: fresh.cid })
    return true
  }

  async outcome(conversation: string, cid: string): Promise<SendOutcome | undefined> {
    const record = await this.outbox.record(conversation, cid)
    const row = await this.outbox.get(conversation, record)
    if (row) return row.failed === undefined ? { state: 'queued' } : { state: 'failed', code: row.failed }
    const entry = record.seq === undefined ? undefined : await this.work.entries.get([conversation, record.seq])
    return entry && { state: 'stored', seq: entry.seq, id: entry.id, at: entry.createdAt }
  }

  /** Takes out a row that was set aside. */
  private async takeAside(conversation: string, cid: string): Promise<OutboxItem | undefined> {
    const record = await this.outbox.record(conversation, cid)
    if (!record.aside) return undefined
    const row = await this.outbox.remove(conversation, record)
    this.work.write(this.work.cids.put(record, [conversation, cid]))
    this.work.tell({ kind: 'discarded', conversation, cid })
    return row
  }

  private keep(row: ConversationRow): void {
    this.work.write(this.work.conversations.put(row))
  }

  private merge(row: ConversationRow, others: readonly MarkTuple[]): ConversationState {
    const { conversation } = row
    const { marks, grown } = mergeMarks(row.state.marks, others)
    if (grown.length === 0) return row.state
    const state = { ...row.state, marks }
    this.keep({ ...row, state })
    this.work.tell({ kind: 'marks', conversation, marks: grown })
    return state
  }

  private async shift(row: ConversationRow, recount: Recount | undefined): Promise<ConversationState> {
    if (!recount) return row.state
    const { conversation } = row
    const items = await this.work.entries.getAll(between(conversation, recount.after, Number.POSITIVE_INFINITY))
    const state = recounted(recount, items, (await this.work.meta()).identity?.user)
    this.keep({ ...row, state })
    this.work.tell({ kind: state.read > row.state.read ? 'read' : 'unread', conversation })
    return state
  }

  /** Forgets the oldest entries; the view begins behind them. */
  private async trim(conversation: string, user: string | undefined, count: number) {
    const { work } = this
    const old = await work.entries.getAll(
      between(conversation, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
      count,
    )
    const { seq, id } = old.at(-1)!
    work.write(work.entries.delete(between(conversation, Number.NEGATIVE_INFINITY, seq)))
    for (const { from, cid } of old) if (from === user) work.write(work.cids.delete([conversation, cid]))
    return { base: seq, baseTail: tailOf(id) }
  }
}
