import type { HeadTuple, Runtime, Timer } from '@kithwire/protocol'
import type { ClientStore, ConversationState } from './client-store.js'
import type { Link } from './link.js'

/** Ms between two cursors of one conversation, and between any two cursors. */
const EACH = 1_000
const ANY = 50
/** Ms until cursors that failed are sent again. */
const AGAIN = 4_000

interface Told {
  delivered: number
  read: number
  /** The `seen` that was last sent on this socket. */
  seen?: number | undefined
  at: number
}

/** Tells the server how far this device has got, where it does not know: at most once a second per conversation. */
export class Receipts {
  private link: Link | undefined
  /** What the server knows, per conversation. */
  private readonly told = new Map<string, Told>()
  private readonly due = new Set<string>()
  private timer: Timer
  private last = Number.NEGATIVE_INFINITY

  constructor(
    private readonly store: ClientStore,
    private readonly runtime: Runtime,
    private readonly error: (error: unknown) => void,
  ) {}

  welcome(link: Link, heads: readonly HeadTuple[], states: readonly ConversationState[]): void {
    this.detach()
    this.link = link
    this.told.clear()
    this.notice(heads, states)
  }

  notice(heads: readonly HeadTuple[], states: readonly ConversationState[]): void {
    heads.forEach(([conversation, head, , , delivered, read], index) => {
      const at = this.told.get(conversation)?.at ?? Number.NEGATIVE_INFINITY
      this.told.set(conversation, { delivered, read, at })
      const { applied, read: own, partial, unsaid } = states[index]!
      if (partial || unsaid) this.touch(conversation)
      // Above the head there is nothing to have got: that log was restored, and a reset is due.
      if (applied <= head && (applied > delivered || own > read)) this.touch(conversation)
    })
  }

  /**
   * The server could not take a cursor; it does not say which. All that were sent on this socket are sent again in a
   * while: they are cumulative, and one too many changes nothing.
   */
  failed(): void {
    const later = this.runtime.monotonic() + AGAIN
    for (const [conversation, told] of this.told) {
      if (told.at === Number.NEGATIVE_INFINITY) continue
      this.told.set(conversation, { delivered: 0, read: 0, at: later })
      this.due.add(conversation)
    }
    this.arm()
  }

  /** The log went back: what was told of the one before, the server may have refused as beyond the head. */
  restart(conversation: string): void {
    const told = this.told.get(conversation)
    if (told) this.told.set(conversation, { ...told, delivered: 0, read: 0 })
    this.touch(conversation)
  }

  detach(): void {
    this.link = undefined
    this.due.clear()
    this.runtime.clearTimer(this.timer)
    this.timer = undefined
  }

  /** This device has got further. */
  touch(conversation: string): void {
    if (!this.link || !this.told.has(conversation)) return
    this.due.add(conversation)
    this.arm()
  }

  private arm(): void {
    if (this.timer !== undefined || this.due.size === 0) return
    let at = Number.POSITIVE_INFINITY
    for (const conversation of this.due) at = Math.min(at, this.told.get(conversation)!.at + EACH)
    at = Math.max(at, this.last + ANY)
    this.timer = this.runtime.setTimer(
      () => {
        this.timer = undefined
        this.tell()
          .catch(this.error)
          .finally(() => this.arm())
      },
      Math.max(0, at - this.runtime.monotonic()),
    )
  }

  private async tell(): Promise<void> {
    const { link } = this
    const now = this.runtime.monotonic()
    for (const conversation of this.due) {
      const told = this.told.get(conversation)!
      if (told.at + EACH > now) continue
      this.due.delete(conversation)
      const state = await this.store.conversation(conversation)
      if (!link || link !== this.link) return
      const delivered = state?.applied ?? 0
      const read = Math.min(state?.read ?? 0, delivered)
      // The answer to `seen` says how many entries are above it, also those that are not here.
      const seen = state && (state.unsaid || state.partial) ? state.seen : undefined
      if (delivered <= told.delivered && read <= told.read && (seen === undefined || seen === told.seen)) continue
      this.last = now
      this.told.set(conversation, { delivered, read, seen, at: now })
      link.post({
        t: 'cursor',
        conversation,
        delivered,
        ...(read > told.read && { read }),
        ...(seen !== undefined && { seen }),
      })
      return
    }
  }
}
