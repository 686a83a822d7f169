import {
  type AckItem,
  type IMessage,
  KithwireError,
  type MessageMeta,
  type MessageRef,
  type MessageType,
  newCid,
} from '@kithwire/protocol'
import { Admission } from './admission.js'
import { Authenticator } from './authenticate.js'
import { type App, onServer } from './bindings/app.js'
import { claim, type HttpServer, idleInterval } from './bindings/node-http.js'
import { Upgrader } from './bindings/ws-socket.js'
import { Core } from './core.js'
import { StoredFriendships } from './friendships.js'
import { Handshake } from './handshake.js'
import { friendshipRoutes } from './http/friendships.js'
import { historyRoutes } from './http/history.js'
import { makeRouter, type RequestHandler } from './http/router.js'
import { Log } from './log.js'
import { type ResolvedOptions, resolveOptions, type WsRouterOptions } from './options.js'
import { UserRates } from './rate-limit.js'
import { SocketPath } from './socket-path.js'
import { Stats } from './stats.js'
import type { Range } from './store.js'
import { Tickets } from './tickets.js'

/** A message that the app itself sends, in the name of a member. */
export interface ServerSend {
  from: string
  conversation: string
  content: string
  /** @default 'text' */
  type?: MessageType
  /** Give one that you keep, and sending again after a crash makes no second message. @default a new one */
  cid?: string
  ref?: MessageRef
  meta?: MessageMeta
}

/**
 * Friend chat on the app's own http server: `attach` takes the upgrades of one path, `router` serves friendships and
 * history, and the rest is for the app's own code.
 *
 * @throws KithwireError `bad_option` at construction
 */
export class WsRouter {
  private static instance: WsRouter | undefined

  /** Friendships and history, for `app.use('/chat', chat.router)`, before or after a body parser, or for plain node:http. */
  readonly router: RequestHandler
  private readonly options: ResolvedOptions
  private readonly core: Core
  private readonly handshake: Handshake
  private readonly tickets: Tickets
  private readonly rates: UserRates
  private readonly counters = new Stats()
  private readonly attached = new Map<HttpServer, Map<string, () => void>>()
  private closing: Promise<void> | undefined

  constructor(options: WsRouterOptions) {
    this.options = resolveOptions(options, (conversation, users) => this.membershipChanged(conversation, users))
    const { runtime, limits, authenticate, sessions, origins, trustProxy, friendships, legacy } = this.options
    this.core = new Core({ ...this.options })
    this.tickets = new Tickets(runtime)
    const log = new Log(runtime, this.options.log)
    const authenticator = new Authenticator(authenticate, sessions, this.tickets, runtime)
    this.handshake = new Handshake({
      options: this.options,
      core: this.core,
      admission: new Admission(limits, runtime),
      authenticator,
      upgrader: new Upgrader(limits, runtime),
      log,
      stats: this.counters,
    })
    const routes = historyRoutes((user, conversation, range) => this.history(user, conversation, range))
    if (friendships instanceof StoredFriendships) routes.push(...friendshipRoutes(friendships))
    this.rates = new UserRates(runtime, { rate: limits.requestRate, burst: limits.requestBurst })
    this.router = makeRouter({ routes, authenticator, origins, trustProxy, rates: this.rates, log })
    if (legacy === 'open')
      log.write('warn', 'legacy_open', {
        hint: "legacy: 'open' takes the id in the path for the user: anybody can read and write as anybody.",
      })
  }

  /**
   * The article's form: one server for the process, made by the first call and answered by all others, whatever they
   * pass. Without a `server` it waits for the one that the app makes when it listens.
   *
   * @param path such as `/ws/:id`
   * @param options as for `new WsRouter`; needed in the first call
   */
  static getInstance(
    path: string,
    app: App | undefined,
    server?: HttpServer | undefined,
    options?: WsRouterOptions,
  ): WsRouter {
    if (WsRouter.instance) return WsRouter.instance
    if (options === undefined)
      throw new KithwireError(
        'bad_option',
        "store: expected one, since messages must be kept somewhere; pass { store: sqlite('chat.db'), authenticate } as the fourth argument, or { store, legacy: 'open' } for clients that name their user in the path.",
      )
    if (server === undefined && typeof app?.use !== 'function')
      throw new KithwireError('bad_option', 'app: expected an app with use(), or a server as the third argument.')
    const socketPath = new SocketPath(path)
    const router = new WsRouter(options)
    if (server) router.attach(server, path)
    else if (app) {
      // The app outlives the chat, and goes on calling.
      const isOpen = () => router.closing === undefined
      const attach = (found: HttpServer) => isOpen() && router.attach(found, path)
      onServer(app, attach, ({ url }) => isOpen() && socketPath.claims(url))
    }
    WsRouter.instance = router
    return router
  }

  /** The built-in friendships. Throws `bad_state` where the app brought its own. */
  get friendships(): StoredFriendships {
    if (this.options.friendships instanceof StoredFriendships) return this.options.friendships
    throw new KithwireError('bad_state', 'Expected the built-in friendships; this server was given its own.')
  }

  /** Counters since the start, by name. */
  get stats(): ReadonlyMap<string, number> {
    return new Map([...this.core.stats, ...this.counters.snapshot()])
  }

  /**
   * Takes the upgrades of `path` on `server`, and leaves all others to whoever else listens. May be called for several
   * paths and servers, before or after `listen`.
   *
   * @param path such as `/chat/ws`, or `/ws/:id` where clients name their user
   */
  attach(server: HttpServer, path: string): void {
    if (this.closing) throw new KithwireError('closed')
    const socketPath = new SocketPath(path)
    const paths = this.attached.get(server) ?? new Map<string, () => void>()
    if (paths.has(path)) return
    this.attached.set(server, paths)
    const undo = claim(server, {
      matches: ({ url }) => socketPath.claims(url),
      upgrade: (request, socket, head) => this.handshake.handle(socketPath, request, socket, head),
    })
    paths.set(path, undo)
  }

  /**
   * Stores a message and delivers it. Resolves when it is stored for good.
   *
   * @throws KithwireError with a code of the wire: `not_found` if `from` is no member, `bad_field`, `cid_conflict`, …
   */
  async send({ from, conversation, ...item }: ServerSend): Promise<AckItem> {
    const cid = item.cid ?? newCid(this.options.runtime)
    const [stored] = await this.core.send({ conversation, from, items: [{ type: 'text', ...item, cid }] })
    return stored!
  }

  /** A page of the log as a member sees it. @throws KithwireError `not_found` for anybody else */
  history(
    user: string,
    conversation: string,
    range: Range,
  ): Promise<{ items: IMessage[]; head: number; first: number; more: boolean }> {
    return this.core.history(user, conversation, range)
  }

  /** For an app with its own friend table: call it after a change, and it takes effect at once. */
  membershipChanged(conversation: string, users: readonly string[]): Promise<void> {
    return this.core.membershipChanged(conversation, users)
  }

  /** To be called after a user has changed what friends may see: it takes effect at once. */
  privacyChanged(user: string): Promise<void> {
    return this.core.privacyChanged(user)
  }

  /** Closes all sockets of a user, who has to authenticate again. With 4503 their clients do not try. */
  revoke(user: string, code: 4501 | 4503 = 4501): void {
    this.core.revoke(user, code)
  }

  /** A key for one socket of this user within 30 s, as `?ticket=` in its URL. @param expires ms since 1970 */
  ticket(user: string, expires?: number): string {
    return this.tickets.issue(user, expires)
  }

  /** Sockets now, of one user or in all. */
  connections(user?: string): number {
    return this.core.connections(user)
  }

  /** The article's: a text to every bare client. Stored nowhere. */
  broadcast(data: string | Uint8Array): void {
    this.core.broadcast(typeof data === 'string' ? data : Buffer.from(data).toString('utf8'))
  }

  /** The article's: a message to the bare clients of `message.to`, if they are there now. Stored nowhere; see `send`. */
  sendMsgToClientById(message: Parameters<Core['sendTo']>[0]): void {
    this.core.sendTo(message)
  }

  /**
   * The article's: heartbeats every `during` ms. They run anyway; this sets how often, for sockets that come from now on.
   * The timer that it returns is for callers who stop one at the end.
   */
  initHeartbeat(during = 10_000): NodeJS.Timeout {
    this.core.setHeartbeat(during)
    return idleInterval(during)
  }

  /**
   * Ends: refuses new sockets, lets what is under way be stored and acknowledged, asks clients to connect again
   * elsewhere, and closes 1012. The http server and the store are the app's and stay open.
   */
  close(options: { drainMs?: number } = {}): Promise<void> {
    this.closing ??= this.end(options)
    return this.closing
  }

  private async end(options: { drainMs?: number }): Promise<void> {
    this.handshake.draining = true
    if (WsRouter.instance === this) WsRouter.instance = undefined
    try {
      await this.core.close(options)
    } finally {
      for (const paths of this.attached.values()) for (const undo of paths.values()) undo()
      this.attached.clear()
      this.rates.clear()
    }
  }
}
