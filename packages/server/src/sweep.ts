import type { Bus } from './bus.js'
import type { Context } from './context.js'
import type { WheelTimer } from './timer-wheel.js'

/** Conversations of one look at the store. */
const BATCH = 500
/** Users whose conversations are asked for at once. */
const USERS = 20
/** Ms between looks while the bus is down, and before the next one when a look has failed. */
const DOWN_MS = 2_000

/**
 * Finds what nobody told this node: entries that a server stored and died before it handed them out, or whose hints were
 * lost. Compares the heads of hot conversations with what was told here, now and then and when a bus is back.
 */
export class Sweep {
  private timer: WheelTimer | undefined
  private running = false
  /** Ms over which the look that is asked for meanwhile is spread. */
  private again: number | undefined
  private metAt = Number.NEGATIVE_INFINITY

  /** @param bus without one nobody else is taken to write here: no marks and no friendships can have been missed */
  constructor(
    private readonly context: Context,
    private readonly bus: Bus | undefined,
  ) {}

  /** Begins, unless it is under way. */
  start(): void {
    if (this.timer === undefined && !this.running) this.schedule(this.interval())
  }

  /** Looks soon, with the load spread over so many ms: other nodes have the same cause, and the same store. */
  soon(spreadMs: number): void {
    this.again = spreadMs
    if (!this.running) this.schedule(0)
  }

  stop(): void {
    this.context.wheel.clear(this.timer)
    this.timer = undefined
    this.again = undefined
  }

  private interval(): number {
    const { limits, runtime } = this.context
    if (this.bus !== undefined && !this.bus.up) return DOWN_MS
    return limits.sweepMs * (0.8 + 0.4 * runtime.random())
  }

  private schedule(ms: number): void {
    const { limits, registry, wheel } = this.context
    wheel.clear(this.timer)
    this.timer = undefined
    if (limits.sweepMs === 0 || registry.size === 0) return
    this.timer = wheel.set(() => {
      this.timer = undefined
      void this.run()
    }, ms)
  }

  private async run(): Promise<void> {
    const { log, runtime } = this.context
    const started = runtime.monotonic()
    const spread = this.again ?? 0
    this.running = true
    this.again = undefined
    const interval = await this.look(spread).then(
      () => this.interval(),
      (cause) => {
        log.failure('sweep_failed', cause)
        return DOWN_MS
      },
    )
    this.running = false
    this.schedule(this.again === undefined ? Math.max(0, started + interval - runtime.monotonic()) : 0)
  }

  private async look(spreadMs: number): Promise<void> {
    const { hot, limits, runtime } = this.context
    const conversations = hot.keys()
    const pause = spreadMs / Math.ceil(conversations.length / BATCH)
    for (let start = 0; start < conversations.length; start += BATCH) {
      if (spreadMs > 0) await this.sleep(pause * runtime.random())
      await this.compare(conversations.slice(start, start + BATCH))
    }
    if (this.bus === undefined || runtime.monotonic() < this.metAt + limits.sweepMs / 2) return
    this.metAt = runtime.monotonic()
    await this.meet()
  }

  private async compare(conversations: readonly string[]): Promise<void> {
    const { authorizer, fanOut, hot, stats, store } = this.context
    const watched = conversations.filter((conversation) => this.isWatched(conversation))
    if (watched.length === 0) return
    const before = watched.map((conversation) => hot.seqOf(conversation) ?? 0)
    const [heads, marks] = await Promise.all([store.heads(watched), this.bus ? store.marks(watched) : []])
    const found = new Set<string>()
    const headOf = new Map(heads.map(({ conversation, head }) => [conversation, head]))
    for (const [index, conversation] of watched.entries()) {
      const head = headOf.get(conversation) ?? 0
      if (head < before[index]!) hot.lower(conversation, head)
      else if (head <= (hot.seqOf(conversation) ?? head)) continue
      found.add(conversation)
    }
    for (const mark of marks) if (hot.lacks(mark)) found.add(mark.conversation)
    for (const conversation of found) {
      const members = await authorizer.members(conversation)
      // Nobody may be told now. Whoever becomes a member again is, and then it must still be known as missed.
      if (members === null) continue
      stats.add('swept')
      fanOut.behind(conversation, members)
      hot.told(conversation, headOf.get(conversation) ?? 0)
      for (const mark of marks) if (mark.conversation === conversation) hot.marked(mark)
    }
  }

  private isWatched(conversation: string): boolean {
    const { hot, registry } = this.context
    if (hot.membersOf(conversation).some((user) => registry.receiversOf(user).length > 0)) return true
    hot.forget(conversation)
    return false
  }

  /** Tells devices of conversations that were opened by another node. */
  private async meet(): Promise<void> {
    const { friendships, registry } = this.context
    const users = registry.receivingUsers()
    for (let start = 0; start < users.length; start += USERS)
      await Promise.all(
        users.slice(start, start + USERS).map(async (user) => {
          for (const { conversation } of await friendships.of(user))
            for (const peer of registry.receiversOf(user)) if (peer.unaware(conversation)) peer.missed(conversation)
        }),
      )
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.context.wheel.set(() => resolve(), ms))
  }
}
