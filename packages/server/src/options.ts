import { isObject, KithwireError, type Runtime, systemRuntime } from '@kithwire/protocol'
import type { Authenticate } from './authenticate.js'
import type { Middleware } from './bindings/middleware.js'
import type { Bus } from './bus.js'
import { StoredFriendships } from './friendships.js'
import { resolveLimits, type ServerLimits } from './limits.js'
import type { Logger } from './log.js'
import type { Friendships } from './membership.js'
import { type AllowedOrigins, normalizeOrigin } from './origin.js'
import type { PrivacyOptions } from './privacy.js'
import type { Store } from './store.js'

/** Options of a server. Only `store` is always needed, and `authenticate` unless `legacy` is `'open'`. */
export interface WsRouterOptions {
  /**
   * Where messages are kept: `sqlite('chat.db')` of `@kithwire/server/sqlite`, or `new MemoryStore()` for tests and
   * demos, which forgets everything at the end of the process. Whoever made it closes it, after `close()`.
   */
  store: Store
  /**
   * Who sent a request, by the app's own session: the user's id, `{ id, expires }`, or null. Asked for each socket
   * before it opens, and for each HTTP request. To throw means that it is not known now: the client tries again.
   */
  authenticate?: Authenticate
  /**
   * The app's own friend table, by two functions. Without it the built-in friendships are used, and the router serves
   * their routes. With it, call `membershipChanged` after a change, or it takes up to `limits.membershipMs`.
   * @default the built-in friendships, in `store`
   */
  friendships?: Friendships
  /**
   * Whether the app knows a user, asked before a friend request is stored. Without it, requests can be left for ids
   * that nobody has.
   * @default every id is taken for a user
   */
  isUser?(user: string): boolean | Promise<boolean>
  /**
   * Clients that send bare `IMessage` frames, without a subprotocol, on a path with `:id`. `'authenticated'`: the user
   * of `authenticate` must be the one in the path. `'open'`: whoever writes an id into the path is that user, as in old
   * apps; anybody can read everything, so it warns at each start. `false`: refused.
   * @default 'authenticated'
   */
  legacy?: false | 'authenticated' | 'open'
  /**
   * Origins whose pages may connect with cookies, such as `'https://example.com'`, compared whole. An app with native
   * clients needs none of it: what has no cookies may have no origin.
   * @default only the host that the request itself was sent to; any, where `legacy: 'open'` makes the path the identity
   */
  origins?: readonly string[]
  /**
   * How many proxies in front are trusted to tell the client's address, host and scheme; `true` is one. Too few: all
   * users share the limits of one address. Too many: a client can claim any address.
   * @default false
   */
  trustProxy?: boolean | number
  /**
   * Middleware to run on an upgrade before `authenticate`, such as that of express-session: Express does not see
   * upgrades. HTTP requests come through the app's own chain and do not run it again.
   * @default []
   */
  sessions?: readonly Middleware[]
  /**
   * Whether the content of an entry of type `file` may be stored. Members are sent to it, so a foreign address is a way
   * to learn who reads, and where from.
   * @default a path on the app's own host, such as `/uploads/x.png`
   */
  isFile?(content: string): boolean
  /**
   * What users let their friends see of them: when they are online, and what they have read. Asked often, so answer from
   * memory; answers are remembered for `limits.membershipMs`. Call `privacyChanged` after a change.
   * @default everything
   */
  privacy?: PrivacyOptions
  /**
   * This server's end of what connects it with the other servers of the same store. Without it, what another server
   * stores gets to the devices here by a look at the log, up to 72 s later; see docs/many-processes.md.
   * @default this server is the only one of its store
   */
  bus?: Bus
  /** Limits that differ from the defaults in `ServerLimits`. Clients are told those that concern them. */
  limits?: Partial<ServerLimits>
  /** Clocks, timers and randomness. Only tests pass another one. @default systemRuntime */
  runtime?: Runtime
  /** Gets one line per event, without content and tokens. @default warnings and errors as JSON on stderr */
  log?: Logger
}

/** Options with every default filled in and every value checked. */
export interface ResolvedOptions {
  store: Store
  authenticate: Authenticate | undefined
  friendships: Friendships
  legacy: false | 'authenticated' | 'open'
  origins: AllowedOrigins
  /** Proxies that are trusted. */
  trustProxy: number
  sessions: readonly Middleware[]
  limits: ServerLimits
  isFile: ((content: string) => boolean) | undefined
  privacy: PrivacyOptions
  bus: Bus | undefined
  runtime: Runtime
  log: Logger
}

const KNOWN = new Set([
  ...['store', 'authenticate', 'friendships', 'isUser', 'legacy', 'origins', 'trustProxy', 'sessions', 'limits'],
  ...['isFile', 'privacy', 'bus', 'runtime', 'log'],
])

/**
 * Fills in the defaults.
 *
 * @param onChange told when the built-in friendships open or close a conversation
 * @throws KithwireError `bad_option`
 */
export function resolveOptions(
  given: WsRouterOptions,
  onChange: (conversation: string, users: readonly string[]) => Promise<void>,
): ResolvedOptions {
  if (!isObject(given) || !isStore(given.store))
    throw bad("store: expected a store, such as sqlite('chat.db') of @kithwire/server/sqlite; pass { store }")
  for (const name of Object.keys(given))
    if (!KNOWN.has(name)) throw bad(`${name}: there is no such option. Known: ${[...KNOWN].join(', ')}`)
  const { store, authenticate, legacy = 'authenticated', sessions = [], runtime = systemRuntime } = given
  if (legacy !== false && legacy !== 'authenticated' && legacy !== 'open')
    throw bad(`legacy: expected false, 'authenticated' or 'open', came ${JSON.stringify(legacy)}`)
  if (authenticate === undefined && legacy !== 'open')
    throw bad("authenticate: expected a function (request) => { id } or null; only legacy: 'open' can do without")
  if (authenticate !== undefined && typeof authenticate !== 'function')
    throw bad(`authenticate: expected a function, came ${typeof authenticate}`)
  if (!Array.isArray(sessions) || sessions.some((entry) => typeof entry !== 'function'))
    throw bad('sessions: expected an array of middleware functions')
  if (given.bus !== undefined && !isBus(given.bus))
    throw bad('bus: expected one end of a bus, such as new LocalBus().connect()')
  return {
    store,
    authenticate,
    friendships: friendshipsOf(given, runtime, onChange),
    legacy,
    origins: originsOf(given.origins),
    trustProxy: hopsOf(given.trustProxy),
    sessions,
    limits: resolveLimits(given.limits),
    isFile: given.isFile,
    privacy: privacyOf(given.privacy),
    bus: given.bus,
    runtime,
    log: given.log ?? toStderr,
  }
}

function friendshipsOf(
  { friendships, store, isUser }: WsRouterOptions,
  runtime: Runtime,
  onChange: (conversation: string, users: readonly string[]) => Promise<void>,
): Friendships {
  if (friendships !== undefined) {
    if (typeof friendships.members !== 'function' || typeof friendships.of !== 'function')
      throw bad('friendships: expected an object with members(conversation) and of(user)')
    return friendships
  }
  if (store.friendships === undefined)
    throw bad('friendships: expected { members, of }, since this store keeps no friendships of its own')
  return new StoredFriendships(store.friendships, { runtime, onChange, ...(isUser ? { isUser } : {}) })
}

function originsOf(origins: readonly string[] | undefined): AllowedOrigins {
  if (origins === undefined) return undefined
  if (!Array.isArray(origins)) throw bad("origins: expected an array such as ['https://example.com']")
  const allowed = new Set<string>()
  for (const origin of origins) {
    const normal = typeof origin === 'string' ? normalizeOrigin(origin) : undefined
    if (normal === undefined)
      throw bad(`origins: expected scheme://host or scheme://host:port without a path, came ${JSON.stringify(origin)}`)
    allowed.add(normal)
  }
  return allowed
}

function privacyOf(privacy: PrivacyOptions | undefined): PrivacyOptions {
  if (privacy === undefined) return {}
  if (!isObject(privacy)) throw bad('privacy: expected { presence, readMarks }, two functions (user) => boolean')
  for (const [name, value] of Object.entries(privacy))
    if ((name !== 'presence' && name !== 'readMarks') || (value !== undefined && typeof value !== 'function'))
      throw bad(`privacy.${name}: expected a function presence or readMarks, came ${name}: ${typeof value}`)
  return privacy
}

function hopsOf(trustProxy: boolean | number = false): number {
  const hops = typeof trustProxy === 'boolean' ? Number(trustProxy) : trustProxy
  if (!Number.isSafeInteger(hops) || hops < 0)
    throw bad(`trustProxy: expected true, false or a number of proxies, came ${JSON.stringify(trustProxy)}`)
  return hops
}

const isStore = (store: unknown): store is Store =>
  isObject(store) && typeof store.append === 'function' && typeof store.read === 'function'

const isBus = (bus: unknown): bus is Bus =>
  isObject(bus) && typeof bus.publish === 'function' && typeof bus.subscribe === 'function'

const toStderr: Logger = (line) => {
  if (line.level !== 'info') console.error(JSON.stringify({ kithwire: line.event, level: line.level, ...line.fields }))
}

const bad = (message: string) => new KithwireError('bad_option', `${message}.`)
