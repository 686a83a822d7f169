import {
  type AckItem,
  decodeClientFrame,
  encode,
  type IMessage,
  isUserId,
  KithwireError,
  PROTOCOL_LIMITS,
  type Runtime,
  type SendItem,
  type SocketLike,
} from '@kithwire/protocol'
import { ackItem } from './acknowledge.js'
import { AppendQueue } from './append-queue.js'
import { Authorizer } from './authorize.js'
import type { Bus } from './bus.js'
import { BusLink } from './bus-link.js'
import type { Backlog, Context, Identity } from './context.js'
import { drain } from './drain.js'
import { FanOut } from './fan-out.js'
import type { Hint } from './hint.js'
import { HotConversations } from './hot.js'
import { isOwnPath } from './items.js'
import { LegacySession } from './legacy-session.js'
import { resolveLimits, type ServerLimits } from './limits.js'
import { Log, type Logger } from './log.js'
import { MarkQueue } from './mark-queue.js'
import type { Friendships } from './membership.js'
import { type Page, readPage } from './pages.js'
import { Presence } from './presence.js'
import { Privacy, type PrivacyOptions } from './privacy.js'
import { UserRates } from './rate-limit.js'
import { Session } from './session.js'
import { SessionRegistry } from './session-registry.js'
import { Stats } from './stats.js'
import type { Outcome, Range, Store } from './store.js'
import { Sweep } from './sweep.js'
import { TimerWheel } from './timer-wheel.js'

export interface CoreOptions {
  runtime: Runtime
  store: Store
  friendships: Friendships
  /** @default DEFAULT_SERVER_LIMITS */
  limits?: Partial<ServerLimits>
  /** One end of what connects the servers of this store; nobody else may use it. @default this server is alone */
  bus?: Bus
  /** @default none */
  log?: Logger
  /**
   * Whether the content of an entry of type `file` may be stored: members are sent to it.
   * @default a path on the app's own host
   */
  isFile?(content: string): boolean
  /** @default everybody shows everything to their friends */
  privacy?: PrivacyOptions
}

/** Total time of a drain, ms: an orchestrator kills after 30 s. */
const DRAIN_MS = 25_000

/** One server: sockets in, the log behind. Knows sockets as `SocketLike` and nothing of HTTP. */
export class Core {
  private readonly context: Context
  private closing: Promise<void> | undefined

  /** @throws KithwireError `bad_option` */
  constructor({
    runtime,
    store,
    friendships,
    limits: given,
    bus,
    log: logger,
    isFile = isOwnPath,
    privacy: hidden = {},
  }: CoreOptions) {
    const limits = resolveLimits(given)
    const log = new Log(runtime, logger)
    const registry: SessionRegistry = new SessionRegistry(
      () => {
        authorizer.clear()
        hot.clear()
        this.context.sweep.stop()
      },
      {
        entered: (user) => {
          this.context.link?.entered(user)
          this.context.presence.entered(user)
        },
        left: (user) => {
          this.context.link?.left(user)
          this.context.presence.left(user)
        },
      },
    )
    const wheel = new TimerWheel(runtime, (cause) => log.failure('timer_failed', cause))
    const authorizer = new Authorizer(friendships, runtime, limits.membershipMs, () => registry.size > 0)
    const hot = new HotConversations(limits.sweepConversations, bus !== undefined, () => this.context.sweep.start())
    const publish = bus && ((users: readonly string[], hint: Hint) => this.context.link?.publish(users, hint))
    const privacy = new Privacy(hidden, log, runtime, limits.membershipMs)
    const context = {
      runtime,
      store,
      friendships,
      limits,
      log,
      authorizer,
      registry,
      isFile,
      stats: new Stats(),
      wheel,
      rates: new UserRates(runtime, limits),
      queue: new AppendQueue({ store, runtime, wheel, log, limits }),
      marks: new MarkQueue(store),
      hot,
      fanOut: new FanOut({ registry, authorizer, log, hot, privacy }, publish),
      privacy,
      backlogs: new Set<Backlog>(),
      takesSends: true,
    } as Context
    const sweep = new Sweep(context, bus)
    const presence = new Presence(context)
    this.context = Object.assign(context, { sweep, presence, link: bus && new BusLink(bus, context) })
  }

  /** Takes a socket that has chosen `kithwire.v1`. Call it in the turn that made the socket. */
  accept(socket: SocketLike, identity: Identity): void {
    if (this.mayServe(socket, identity)) new Session(this.context, socket, identity)
  }

  /** Takes a socket without a subprotocol. Call it in the turn that made the socket. */
  acceptLegacy(socket: SocketLike, identity: Identity): void {
    if (this.mayServe(socket, identity)) new LegacySession(this.context, socket, identity)
  }

  /** Sockets now, of one user or in all, those included whose closing handshake is under way. */
  connections(user?: string): number {
    const { registry } = this.context
    return user === undefined ? registry.size : registry.socketsOf(user).length
  }

  /** Sockets that have not said hello. */
  get pendingHellos(): number {
    return this.context.registry.opening.size
  }

  /**
   * Sends in the name of a member. Not rated: the app is trusted. Resolves when everything is durable.
   *
   * @throws KithwireError with a code of the wire; what was stored before a refused item stays stored, and sending the
   *   same cids again is safe
   */
  async send(input: { conversation: string; from: string; items: readonly SendItem[] }): Promise<AckItem[]> {
    const { authorizer, fanOut, limits, queue } = this.context
    const { conversation, from } = input
    const decoded = decodeClientFrame(encode({ t: 'send', n: 0, conversation, items: input.items }), limits)
    if (!decoded.ok) throw new KithwireError(decoded.problem.code, decoded.problem.message)
    if (decoded.frame.t !== 'send') throw new KithwireError('internal')
    const { items, invalid } = decoded.frame
    if (invalid) throw new KithwireError(invalid.code, invalid.message)
    const access = await authorizer.check(conversation, from)
    if (access.refused) throw new KithwireError(access.refused)
    const send = { conversation, from, items }
    const stored = (outcome: Outcome) => fanOut.stored(send, outcome, access.members)
    const outcome = (await queue.append({ ...send, stored })) ?? { stored: [], refused: { index: 0, code: 'busy' } }
    if (outcome.refused) throw new KithwireError(outcome.refused.code)
    return outcome.stored.map((stored, index) => ackItem(items[index]!.cid, stored))
  }

  /** @throws KithwireError `not_found` for who is not a member now */
  async history(user: string, conversation: string, range: Range): Promise<Page> {
    const { authorizer, store } = this.context
    const { members } = await authorizer.check(conversation, user)
    if (members === undefined) throw new KithwireError('not_found')
    const limit = Math.min(range.limit, PROTOCOL_LIMITS.page)
    const page = await readPage(store, conversation, members, { ...range, limit })
    if ((await authorizer.check(conversation, user)).refused) throw new KithwireError('not_found')
    if (!('reset' in page)) return page
    const head = (await store.heads([conversation]))[0]!
    return { items: [], head: head.head, first: head.first, more: false }
  }

  /** The members of a conversation changed: it holds from now on, and who is a member now hears of it. */
  async membershipChanged(conversation: string, users: readonly string[]): Promise<void> {
    const { authorizer, fanOut, link, presence, queue } = this.context
    authorizer.invalidate(conversation)
    link?.publish(users, { kind: 'members', conversation })
    await queue.recall(conversation)
    fanOut.behind(conversation, users)
    presence.changed(conversation, users)
  }

  /** A user has changed what others may see; here it holds from now on, on other nodes within `membershipMs`. */
  async privacyChanged(user: string): Promise<void> {
    this.context.privacy.forget(user)
    await this.context.presence.privacyChanged(user)
  }

  /** Closes all sockets of a user at once; on other nodes as soon as the bus tells them. */
  revoke(user: string, code: 4501 | 4503 = 4501): void {
    this.context.link?.publish([user], { kind: 'revoke', code })
    this.context.registry.revoke(user, code)
  }

  /** Any text to every legacy socket. Sockets of `kithwire.v1` see only frames of their protocol. */
  broadcast(text: string): void {
    for (const peer of this.context.registry.everybody()) if (peer instanceof LegacySession) peer.sendText(text)
  }

  /** A message that is not stored, to the legacy sockets of its `to`. Best effort. */
  sendTo(message: Partial<IMessage> & { to: string }): void {
    const text = JSON.stringify(message)
    for (const peer of this.context.registry.socketsOf(message.to))
      if (peer instanceof LegacySession) peer.sendText(text)
  }

  /** Ms between heartbeats of the sockets that come from now on. */
  setHeartbeat(heartbeatMs: number): void {
    this.context.limits.heartbeatMs = resolveLimits({ heartbeatMs }).heartbeatMs
  }

  /** Counters by name since the start. */
  get stats(): ReadonlyMap<string, number> {
    return this.context.stats.snapshot()
  }

  /** What is held in memory now, by kind. All 0 once everybody has left and the rates have recovered. */
  get sizes(): Readonly<
    Record<
      | 'sockets'
      | 'timers'
      | 'appends'
      | 'marks'
      | 'memberships'
      | 'rates'
      | 'backlogs'
      | 'hot'
      | 'subscriptions'
      | 'presence',
      number
    >
  > {
    const { registry, wheel, queue, marks, authorizer, rates, backlogs, hot, link, presence } = this.context
    return {
      sockets: registry.entries,
      timers: wheel.size,
      appends: queue.size,
      marks: marks.size,
      memberships: authorizer.size,
      rates: rates.size,
      backlogs: backlogs.size,
      hot: hot.size,
      subscriptions: link?.size ?? 0,
      presence: presence.size,
    }
  }

  /** Drains and ends. The store is closed by whoever made it. */
  close({ drainMs = DRAIN_MS }: { drainMs?: number } = {}): Promise<void> {
    this.closing ??= drain(this.context, drainMs).finally(() => {
      this.context.rates.clear()
      this.context.presence.close()
      this.context.link?.close()
    })
    return this.closing
  }

  private mayServe(socket: SocketLike, identity: Identity): boolean {
    const code = this.closing !== undefined ? 1012 : isUserId(identity.user) ? undefined : 4503
    if (code === undefined) return true
    socket.listen({ message() {}, close() {} })
    socket.close(code, code === 1012 ? 'the server restarts' : 'not a user id')
    return false
  }
}
