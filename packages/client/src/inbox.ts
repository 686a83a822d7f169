import {
  type HeadTuple,
  type IMessage,
  KithwireError,
  type Page,
  PROTOCOL_LIMITS,
  WIRE_ERRORS,
} from '@kithwire/protocol'
import { backoff } from './backoff.js'
import type { ConversationState } from './client-store.js'
import type { Link } from './link.js'
import { Retreat } from './retreat.js'
import { type InboxHooks, newView, type View } from './view.js'

/** Ms of the random wait before a hole is asked for: it is often filled meanwhile, and many devices see it at once. */
const JITTER = 200

/** Brings what arrives into the store: in order, each entry once, no hole. What is missing it asks for. */
export class Inbox {
  private readonly views = new Map<string, View>()
  private readonly retreat: Retreat
  private link: Link | undefined

  constructor(private readonly hooks: InboxHooks) {
    this.retreat = new Retreat(
      hooks,
      (link) => link === this.link,
      (...end) => this.retreated(...end),
    )
  }

  /** Starts with a socket. What an earlier one left above a hole is forgotten: the log may have been restored since. */
  welcome(link: Link, heads: readonly HeadTuple[], states: readonly ConversationState[]): void {
    this.detach()
    this.link = link
    this.views.clear()
    this.notice(link, heads, states, true)
  }

  detach(): void {
    this.link = undefined
    for (const [conversation, view] of this.views) {
      this.hooks.runtime.clearTimer(view.timer)
      view.held.clear()
      this.retreat.stop(conversation, view)
    }
  }

  /**
   * Heads of the server, with what the store has there.
   *
   * @param exact they are of a `welcome`: no push that this device has already applied can be missing in them
   */
  notice(link: Link, heads: readonly HeadTuple[], states: readonly ConversationState[], exact: boolean): void {
    if (link !== this.link) return
    heads.forEach((head, index) => {
      const { conversation, applied, tail } = states[index]!
      const view = this.views.get(conversation)
      const target = head[1]
      if (view) {
        view.head = head
        view.target = Math.max(view.target, target)
        view.fails = 0
      } else this.views.set(conversation, newView(head, applied, !exact || applied >= target))
      const restored = applied > target || (applied === target && tail !== '' && head[7] !== '' && head[7] !== tail)
      if (exact && restored) this.diverged(link, conversation)
      else this.pull(conversation)
    })
  }

  /** Whether sends of a conversation must wait until its log has been compared with the server's. */
  holds(conversation: string): boolean {
    const view = this.views.get(conversation)
    return view !== undefined && (view.resetting || !view.confirmed)
  }

  knows(conversation: string): boolean {
    return this.views.has(conversation)
  }

  /** The other one of two friends, as far as the marks in the head tell. */
  peer(conversation: string): string | undefined {
    const marks = this.views.get(conversation)?.head[6]
    return marks?.length === 1 ? marks[0]![0] : undefined
  }

  /** Entries that were pushed, pulled or acknowledged, ascending. To be called within `serial`. */
  async receive(link: Link, conversation: string, items: readonly IMessage[]): Promise<void> {
    const view = this.views.get(conversation)
    // A conversation whose head we have not seen: its `behind` is on the way.
    if (!view || link !== this.link) return
    const { held } = view
    const run: IMessage[] = []
    let next = view.applied + 1
    for (const item of items) {
      view.target = Math.max(view.target, item.seq)
      if (view.resetting) continue
      if (item.seq <= next) run.push(item)
      else if (held.size < PROTOCOL_LIMITS.held) held.set(item.seq, item)
      if (item.seq === next) next++
    }
    if (view.resetting) return
    for (let item = held.get(next); item; item = held.get(++next)) run.push(item)
    if (run.length > 0) await this.apply(conversation, view, run)
    if (link === this.link) this.pull(conversation)
  }

  private async apply(conversation: string, view: View, run: readonly IMessage[]): Promise<void> {
    try {
      const { state } = await this.hooks.store.apply(conversation, run)
      if (!state) return
      if (state.applied > view.applied) this.confirm(conversation, view)
      view.applied = state.applied
      for (const seq of view.held.keys()) if (seq <= state.applied) view.held.delete(seq)
      this.hooks.applied(conversation)
    } catch (error) {
      this.hooks.error(new KithwireError('store_failed', undefined, { cause: error }))
      view.fails++
    }
  }

  private confirm(conversation: string, view: View): void {
    if (view.confirmed) return
    view.confirmed = true
    this.hooks.released(conversation)
  }

  /** Asks for what is missing, once at a time, after a moment. */
  private pull(conversation: string): void {
    const { link } = this
    const view = this.views.get(conversation)
    if (!link || !view || view.resetting || view.pulling === link || view.target <= view.applied) return
    view.pulling = link
    const { runtime } = this.hooks
    const random = () => runtime.random()
    const wait = view.fails > 0 ? backoff(random, view.fails) : random() * JITTER
    view.timer = runtime.setTimer(() => {
      this.fill(link, conversation, view)
        .catch((error: unknown) => {
          if (link !== this.link) return
          view.fails++
          this.hooks.error(error)
        })
        .finally(() => {
          view.pulling = undefined
          this.pull(conversation)
        })
    }, wait)
  }

  private async fill(link: Link, conversation: string, view: View): Promise<void> {
    const { store, syncs, serial } = this.hooks
    while (link === this.link && !view.resetting) {
      const state = await store.conversation(conversation)
      if (!state) return
      view.applied = state.applied
      if (link !== this.link) return
      if (view.target <= state.applied) return this.confirm(conversation, view)
      const { applied: after } = state
      const tail = view.same ? '' : state.tail
      const { head, target } = view
      const page = await syncs.ask(link, { t: 'sync', conversation, after, tail, limit: PROTOCOL_LIMITS.page })
      if (link !== this.link) return
      const refused = page.t === 'error' ? page : page.refused
      if (refused) {
        view.fails++
        if (page.t === 'page' ? page.refused!.retry : WIRE_ERRORS[page.code].retry) return
        // Not a member any more: a head or a push tells when that changes, and one may have overtaken the refusal.
        if (view.head !== head || view.target > target) return
        view.target = view.applied
        return this.confirm(conversation, view)
      }
      if ((page as Page).reset) return this.diverged(link, conversation)
      await serial.run(() => this.take(link, conversation, view, after, page as Page))
      // A page that brings nothing, for a hole that is there all the same: not at once again.
      if (view.applied <= after && view.target > after) return void view.fails++
      view.fails = 0
    }
  }

  private async take(link: Link, conversation: string, view: View, after: number, page: Page): Promise<void> {
    if (link !== this.link || view.resetting) return
    this.confirm(conversation, view)
    const { first = 1, tail = '', items = [], head = 0, more } = page
    if (first > after + 1 && (await this.hooks.store.skip(conversation, after, first - 1, tail))) {
      view.applied = first - 1
      this.hooks.applied(conversation)
    }
    // The page says what there is now; a number that nothing stands behind would be asked for again and again.
    if (items.length === 0 && !more) view.target = Math.max(head, view.applied, ...view.held.keys())
    // Also without any: what is held may follow a gap that is passed over.
    await this.receive(link, conversation, items)
  }

  /** The server's log is another one than ours from some seq on: find it, and go back to it. */
  diverged(link: Link, conversation: string): void {
    const view = this.views.get(conversation)
    if (!view || link !== this.link || view.resetting) return
    this.retreat.start(link, conversation, view)
  }

  private retreated(link: Link, conversation: string, view: View): void {
    view.resetting = false
    view.held.clear()
    // Wakes the outbox, too.
    this.hooks.resetDone(conversation)
    if (link === this.link) this.pull(conversation)
  }
}
