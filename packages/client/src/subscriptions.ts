import type { IMessage } from '@kithwire/protocol'
import type { ClientStore, ConversationState } from './client-store.js'

/** Called with each entry, in order. What it returns is awaited before the next one. */
export type MessageListener = (message: IMessage) => unknown

export interface ListenOptions {
  /** Only entries of this conversation. */
  conversation?: string
  /**
   * The seq behind which to begin: of `conversation`, or per conversation. An app that saves the seq of what it has
   * handled, and names it here when it starts again, gets each entry exactly once. A conversation that an object does
   * not name begins where this device began: the app has handled nothing of it yet.
   *
   * @default what the device has when the listener is added
   */
  after?: number | { readonly [conversation: string]: number }
}

interface Listener {
  run: MessageListener
  conversation: string | undefined
  after: ReadonlyMap<string, number>
  /** The app keeps its places: what it does not name, it has not handled. */
  keeps: boolean
  /** The last seq that was delivered, per conversation. */
  positions: Map<string, number>
  dirty: Set<string>
  running: boolean
  stopped: boolean
}

/** One conversation as this client has delivered it. */
interface Track {
  resets: number
  /** The log is being set back: nothing is delivered. */
  blocked: boolean
  /** Raised with each reset: what was read before is not delivered any more. */
  version: number
  /** The place of the reset that the app was told of before the store made it. */
  announced: number | undefined
}

export interface SubscriptionHooks {
  reset(conversation: string, to: number, removed: number): void
  gap(conversation: string, from: number, to: number): void
  /** A listener threw, or the store did. */
  error(error: unknown): void
}

const PAGE = 64

/**
 * Delivers entries from the store to listeners. Each has a place of its own, so that one which throws, is slow, or sits
 * in another tab neither misses nor repeats an entry; everything that happens elsewhere only says "look".
 */
export class Subscriptions {
  private readonly listeners = new Set<Listener>()
  private readonly tracks = new Map<string, Track>()
  /** `applied` of each conversation as of the last look; undefined until the store was read. */
  private seen: Map<string, number> | undefined
  private loading: Promise<void> | undefined

  constructor(
    private readonly store: ClientStore,
    private readonly hooks: SubscriptionHooks,
  ) {}

  /** Reads where the store stands: from there listeners begin that name no place. */
  load(): Promise<void> {
    this.loading ??= this.read().catch((error: unknown) => {
      this.loading = undefined
      throw error
    })
    return this.loading
  }

  private async read(): Promise<void> {
    const states = await this.store.conversations()
    this.seen = new Map(states.map((state) => [state.conversation, state.applied]))
    for (const state of states) this.track(state.conversation).resets = state.resets.length
    for (const listener of this.listeners) this.begin(listener)
  }

  add(run: MessageListener, { conversation, after }: ListenOptions = {}): () => void {
    const places =
      typeof after === 'number' ? (conversation ? [[conversation, after] as const] : []) : Object.entries(after ?? {})
    const listener: Listener = {
      run,
      conversation,
      after: new Map(places),
      keeps: typeof after === 'object',
      positions: new Map(),
      dirty: new Set(),
      running: false,
      stopped: false,
    }
    this.listeners.add(listener)
    if (this.seen) this.begin(listener)
    return () => {
      listener.stopped = true
      this.listeners.delete(listener)
    }
  }

  /** The lowest place from which a listener wants to go on, per conversation; for a store that knows none. */
  wanted(): Map<string, number> {
    const wanted = new Map<string, number>()
    for (const { after, positions } of this.listeners)
      for (const [conversation, seq] of [...after, ...positions])
        wanted.set(conversation, Math.min(seq, wanted.get(conversation) ?? seq))
    return wanted
  }

  /** Something in a conversation may be new. */
  look(conversation: string): void {
    if (!this.seen) return
    for (const listener of this.listeners) this.mark(listener, conversation)
  }

  private mark(listener: Listener, conversation: string): void {
    if (listener.conversation !== undefined && listener.conversation !== conversation) return
    listener.dirty.add(conversation)
    this.start(listener)
  }

  /** As {@link look}, for those that were not delivered everything the store has: whoever stored it may have died untold. */
  catchUp({ conversation, applied, resets }: ConversationState): void {
    if (!this.seen) return
    const reset = this.track(conversation).resets !== resets.length
    for (const listener of this.listeners)
      if (reset || listener.positions.get(conversation) !== applied) this.mark(listener, conversation)
  }

  /** The log is about to go back to `to`: tells the app first, and delivers nothing until `resume`. */
  suspend(conversation: string, to: number, removed: number): void {
    const track = this.track(conversation)
    track.blocked = true
    track.announced = to
    this.rewind(conversation, to, removed)
  }

  resume(conversation: string): void {
    this.track(conversation).blocked = false
    this.look(conversation)
  }

  close(): void {
    for (const listener of this.listeners) listener.stopped = true
    this.listeners.clear()
  }

  private track(conversation: string): Track {
    const known = this.tracks.get(conversation)
    if (known) return known
    const track: Track = { resets: 0, blocked: false, version: 0, announced: undefined }
    this.tracks.set(conversation, track)
    return track
  }

  private begin(listener: Listener): void {
    for (const [conversation, seq] of this.seen!) {
      if (listener.conversation !== undefined && listener.conversation !== conversation) continue
      const after = listener.after.get(conversation)
      if (after !== undefined || !listener.keeps) listener.positions.set(conversation, after ?? seq)
      if (listener.keeps || (after !== undefined && after !== seq)) listener.dirty.add(conversation)
    }
    this.start(listener)
  }

  private start(listener: Listener): void {
    if (listener.running || listener.dirty.size === 0) return
    listener.running = true
    this.deliver(listener).catch((error: unknown) => {
      listener.running = false
      this.hooks.error(error)
    })
  }

  private async deliver(listener: Listener): Promise<void> {
    for (const conversation of listener.dirty) {
      listener.dirty.delete(conversation)
      const more = await this.page(listener, conversation).catch((error: unknown) => {
        listener.dirty.add(conversation)
        throw error
      })
      if (more) listener.dirty.add(conversation)
      if (listener.stopped) return
    }
    listener.running = false
  }

  /** Delivers what one read gives. True if there may be more. */
  private async page(listener: Listener, conversation: string): Promise<boolean> {
    const track = this.track(conversation)
    const { version } = track
    let position = listener.positions.get(conversation)
    const items = position === undefined ? [] : await this.store.messages(conversation, position, PAGE)
    // In this order: if no reset is seen here, none came before the read.
    const state = await this.store.conversation(conversation)
    if (!state || track.blocked || listener.stopped) return false
    this.notice(state)
    if (position === undefined) {
      listener.positions.set(conversation, listener.after.get(conversation) ?? state.base)
      return true
    }
    // What was read may be of before the reset.
    if (track.version !== version || listener.positions.get(conversation) !== position) return true
    if (position > state.applied) {
      // Only a reset takes back what a listener has handled, and of one before this tab looked nobody told its app.
      this.rewind(conversation, state.applied, position - state.applied)
      return false
    }
    if (position < state.base) {
      this.hooks.gap(conversation, position + 1, state.base)
      listener.positions.set(conversation, state.base)
    }
    for (const item of items) {
      if (listener.stopped || track.version !== version) return true
      position = item.seq
      listener.positions.set(conversation, position)
      try {
        await listener.run(item)
      } catch (error) {
        this.hooks.error(error)
      }
    }
    return items.length > 0
  }

  /** Resets that another tab made, or this one before it knew of theirs. */
  private notice(state: ConversationState): void {
    const track = this.track(state.conversation)
    this.seen!.set(state.conversation, state.applied)
    const news = state.resets.slice(track.resets)
    track.resets = state.resets.length
    const to = Math.min(...news)
    if (news.length > 0 && !(to >= (track.announced ?? Number.POSITIVE_INFINITY)))
      this.rewind(state.conversation, to, 0)
    track.announced = undefined
  }

  private rewind(conversation: string, to: number, removed: number): void {
    this.track(conversation).version++
    for (const { positions } of this.listeners) {
      const position = positions.get(conversation)
      if (position !== undefined && position > to) positions.set(conversation, to)
    }
    this.hooks.reset(conversation, to, removed)
  }
}
