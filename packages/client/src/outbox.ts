import {
  type Ack,
  type AckItem,
  type IMessage,
  type KithwireErrorCode,
  type Limits,
  PROTOCOL_LIMITS,
  type Runtime,
  type Send,
  type SendItem,
  type Timer,
  utf8Length,
  WIRE_ERRORS,
} from '@kithwire/protocol'
import { backoff } from './backoff.js'
import type { ClientStore, OutboxItem } from './client-store.js'
import type { Link } from './link.js'
import { frameSize } from './resume.js'
import { Suspects } from './suspects.js'

/** What one conversation has under way. */
interface Lane {
  busy: boolean
  flight: readonly OutboxItem[]
  /** Acknowledged on this socket, and still in the store because a hole is below. Not to be sent again here. */
  acked: Set<string>
  fails: number
  timer: Timer
}

export interface OutboxHooks {
  store: ClientStore
  runtime: Runtime
  /** Whether a conversation waits, because its log is being compared with the server's. */
  held(conversation: string): boolean
  /** All items of a conversation that are written on the socket and not in the view. */
  flight(conversation: string, cids: readonly string[]): void
  /** The server has stored an item. */
  acked(conversation: string, item: AckItem): void
  /** Brings acknowledged items into the view. */
  receive(link: Link, conversation: string, items: (user: string) => IMessage[]): Promise<void>
  error(error: unknown): void
}

/** Sends what the store holds in its outbox: per conversation one `send` at a time, in order, until it is stored. */
export class Outbox {
  private link: Link | undefined
  private limits: Limits | undefined
  /** The attempt that the link is. */
  private attempt = 0
  private readonly lanes = new Map<string, Lane>()
  /** Conversations that may have rows that wait. */
  private readonly dirty = new Set<string>()
  private flying = 0
  private rest: Timer
  private resting = false
  private readonly suspects = new Suspects()

  constructor(private readonly hooks: OutboxHooks) {}

  /** Starts with a socket; everything that waits is sent again, under its cid. */
  async welcome(link: Link, limits: Limits, attempt: number): Promise<void> {
    this.detach()
    this.link = link
    this.limits = limits
    this.attempt = attempt
    for (const conversation of await this.hooks.store.waiting()) this.dirty.add(conversation)
    this.pump()
  }

  /** Stops: no socket, or one that is about to go. What is in flight may still be answered. */
  detach(): void {
    this.link = undefined
    this.resting = false
    this.hooks.runtime.clearTimer(this.rest)
    for (const [conversation, lane] of this.lanes) {
      this.hooks.runtime.clearTimer(lane.timer)
      if (lane.flight.length > 0 || lane.acked.size > 0) this.hooks.flight(conversation, [])
    }
    this.lanes.clear()
    this.flying = 0
  }

  /** A socket ended with a close code. */
  lost(code: number): void {
    if (Suspects.blames(code)) this.blame([...this.lanes.values()].flatMap((lane) => lane.flight))
    this.detach()
  }

  /** There may be something to send. */
  wake(conversation: string): void {
    this.dirty.add(conversation)
    this.pump()
  }

  /** An item is in this device's view, and its row is gone. */
  settled(conversation: string, cid: string): void {
    this.lanes.get(conversation)?.acked.delete(cid)
    this.clear(conversation, cid)
  }

  private clear(conversation: string, cid: string): void {
    if (this.suspects.clear(conversation, cid)) this.pump()
  }

  private blame(flight: readonly OutboxItem[]): void {
    const guilty = this.suspects.add(flight)
    if (guilty) void this.setAside(guilty.conversation, guilty.cid, 'unknown_outcome')
  }

  /** False if that did not happen: it is settled, or a newer socket of the device is about to settle it. */
  private async setAside(conversation: string, cid: string, code: KithwireErrorCode): Promise<boolean> {
    this.clear(conversation, cid)
    try {
      return await this.hooks.store.fail(conversation, cid, code, this.attempt)
    } catch (error) {
      this.hooks.error(error)
      return false
    }
  }

  private pump(): void {
    const { link } = this
    if (!link || this.resting) return
    // Suspects first, or they would wait behind everything else, one at a time.
    for (const conversation of new Set([...this.suspects.conversations, ...this.dirty])) {
      if (this.suspects.any && [...this.lanes.values()].some((lane) => lane.busy)) return
      const lane = this.lane(conversation)
      if (lane.busy || lane.timer !== undefined || this.hooks.held(conversation)) continue
      lane.busy = true
      this.run(link, conversation, lane).catch((error: unknown) => {
        if (link !== this.link) return
        this.hooks.error(error)
        this.dirty.add(conversation)
        this.pause(lane)
      })
    }
  }

  private lane(conversation: string): Lane {
    const known = this.lanes.get(conversation)
    if (known) return known
    const lane: Lane = { busy: false, flight: [], acked: new Set(), fails: 0, timer: undefined }
    this.lanes.set(conversation, lane)
    return lane
  }

  private async run(link: Link, conversation: string, lane: Lane): Promise<void> {
    let more = false
    try {
      // Dirty again from here on: a row that is added while we read is not missed.
      this.dirty.delete(conversation)
      const batch = await this.next(link, conversation, lane)
      if (link !== this.link) return
      if (batch === 'wait') {
        this.dirty.add(conversation)
        return
      }
      // A row may have come behind the read, while this lane was busy and nobody could take it.
      more = batch.length > 0 || this.dirty.has(conversation)
      if (batch.length === 0) return
      await this.send(link, conversation, lane, batch)
    } finally {
      if (link === this.link) {
        lane.busy = false
        this.flying -= lane.flight.length
        if (lane.flight.length > 0) this.hooks.flight(conversation, [...lane.acked])
        lane.flight = []
        if (more) this.dirty.add(conversation)
        if (more || this.suspects.any) this.pump()
      }
    }
  }

  /** The next items; `wait` if there are some, and no room for them now. */
  private async next(link: Link, conversation: string, lane: Lane): Promise<OutboxItem[] | 'wait'> {
    const rows = await this.hooks.store.queued(conversation, PROTOCOL_LIMITS.items + lane.acked.size)
    if (link !== this.link) return []
    this.suspects.keep(conversation, rows)
    const { frame, inflight } = this.limits!
    const open = rows.filter((row) => !lane.acked.has(row.cid))
    const room = this.suspects.any ? 1 : inflight - this.flying
    if (open.length > 0 && room <= 0) return 'wait'
    const batch: OutboxItem[] = []
    let size = frameSize({ t: 'send', n: Number.MAX_SAFE_INTEGER, conversation, items: [] })
    for (const row of open.slice(0, Math.min(room, PROTOCOL_LIMITS.items))) {
      size += utf8Length(JSON.stringify(toItem(row))) + 1
      if (size > frame) break
      batch.push(row)
    }
    // Taken here, in the turn that looked: other lanes look at the same time.
    lane.flight = batch
    this.flying += batch.length
    if (batch.length > 0 || open.length === 0) return batch
    // Not even alone in a frame: no server would read it.
    return (await this.setAside(conversation, open[0]!.cid, 'too_large')) ? this.next(link, conversation, lane) : 'wait'
  }

  private async send(link: Link, conversation: string, lane: Lane, batch: readonly OutboxItem[]): Promise<void> {
    const question: Omit<Send, 'n'> = { t: 'send', conversation, items: batch.map(toItem) }
    const asked = link.call(question)
    this.hooks.flight(conversation, [...lane.acked, ...batch.map(({ cid }) => cid)])
    const answer = await asked
    if (answer.t === 'ack') await this.ack(link, conversation, lane, batch, answer)
    else if (answer.t === 'error') {
      const { retry } = WIRE_ERRORS[answer.code]
      if (retry || batch.length === 1) await this.refused(conversation, lane, batch[0]!, { ...answer, retry })
      // The answer does not say which item it was: find out one by one.
      else this.blame(batch)
    }
  }

  private async ack(
    link: Link,
    conversation: string,
    lane: Lane,
    batch: readonly OutboxItem[],
    ack: Ack,
  ): Promise<void> {
    const rows = new Map(batch.map((row) => [row.cid, row]))
    const acked = ack.items.filter((item) => rows.has(item.cid))
    lane.fails = 0
    for (const item of acked) {
      lane.acked.add(item.cid)
      this.clear(conversation, item.cid)
      this.hooks.acked(conversation, item)
    }
    if (acked.length > 0)
      await this.hooks.receive(link, conversation, (user) =>
        acked.map((item) => toMessage(rows.get(item.cid)!, item, user)),
      )
    const { refused } = ack
    const row = refused && (rows.get(refused.cid) ?? batch[acked.length])
    if (refused && row) await this.refused(conversation, lane, row, refused)
  }

  private async refused(
    conversation: string,
    lane: Lane,
    row: OutboxItem,
    { code, retry, after }: { code: KithwireErrorCode; retry: boolean; after?: number },
  ): Promise<void> {
    const { runtime } = this.hooks
    if (!retry && (await this.setAside(conversation, row.cid, code))) return
    if (!this.link) return
    if (code !== 'rate_limited') return this.pause(lane, after)
    // The rate is the user's, not the conversation's.
    this.resting = true
    runtime.clearTimer(this.rest)
    this.rest = runtime.setTimer(
      () => {
        this.resting = false
        this.pump()
      },
      after ?? backoff(() => runtime.random(), ++lane.fails),
    )
  }

  private pause(lane: Lane, after?: number): void {
    const { runtime } = this.hooks
    runtime.clearTimer(lane.timer)
    lane.timer = runtime.setTimer(
      () => {
        lane.timer = undefined
        this.pump()
      },
      after ?? backoff(() => runtime.random(), ++lane.fails),
    )
  }
}

export const toItem = ({ cid, type, content, ref, meta }: OutboxItem): SendItem => ({
  cid,
  type,
  content,
  ...(ref && { ref }),
  ...(meta && { meta }),
})

/** The entry that an acknowledged item became. */
const toMessage = (row: OutboxItem, { id, seq, at }: AckItem, from: string): IMessage => {
  const { cid, type, content, ref, meta } = toItem(row)
  const { conversation } = row
  return { id, conversation, seq, from, type, content, createdAt: at, cid, ...(ref && { ref }), ...(meta && { meta }) }
}
