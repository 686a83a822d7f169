import { DEFAULT_LIMITS, KithwireError, type Runtime, type SocketFactory, systemRuntime } from '@kithwire/protocol'
import type { ClientStore } from './client-store.js'
import { MemoryClientStore } from './stores/memory.js'
import type { Wakeups } from './wakeups.js'

/** A token, or a function that is asked for one before each connect. `undefined`: none. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>)

export interface WsRequestOptions {
  /**
   * Credentials, offered as the subprotocol `kithwire.bearer.<base64url>`, which does not reach a server's access log as
   * a query would. Without it the browser's cookies alone speak for the user. Prefer a function: it is asked at each
   * connect, so that a token that expires does not end the connection.
   */
  token?: TokenSource
  /**
   * Where this device keeps its messages, its place and its outbox; or a function that opens the store of a user, asked
   * with `undefined` before the user is known, and with the url of the server. Clients that share one store are one device.
   *
   * @default a MemoryClientStore per user, which ends with the process
   */
  store?: ClientStore | ((user: string | undefined, url: string) => ClientStore)
  /** The user's id, where the app knows it before the server says it. Another one in `welcome` is an error. */
  user?: string
  /** Connect at once. With false, `connect()` starts it. @default true */
  autoConnect?: boolean
  /** Ms from the first step of a connect to its `welcome`. @default 15000 */
  connectTimeoutMs?: number
  /** Messages that may wait to be sent; beyond it `send()` rejects `outbox_full`. @default 10000 */
  outboxItems?: number
  /** Bytes of content that may wait. @default 33554432 */
  outboxBytes?: number
  /** Ms after which a waiting message lets no further ones in. @default 2592000000 (30 days) */
  outboxAgeMs?: number
  /** Clocks, timers and randomness. @default systemRuntime */
  runtime?: Runtime
  /** Opens sockets. @default the browser's WebSocket, or `ws` */
  socket?: SocketFactory
  /** Tells when the device wakes up or gets its network back. @default the browser's events; none on Node */
  wakeups?: Wakeups
}

/** What a build brings along. */
export interface Platform {
  socket: SocketFactory
  wakeups: Wakeups
}

export interface ResolvedOptions extends Required<Omit<WsRequestOptions, 'store' | 'user' | 'token'>> {
  url: string
  token: TokenSource | undefined
  user: string | undefined
  open(user: string | undefined): ClientStore
  /** Whether `close()` closes the store: it does what it has opened. */
  ownsStore: boolean
  limits: typeof DEFAULT_LIMITS
}

const bad = (what: string, expected: string, came: unknown) =>
  new KithwireError('bad_option', `${what}: expected ${expected}, came ${came === null ? 'null' : typeof came}.`)

/** @throws KithwireError `bad_option` */
export function resolveOptions(url: unknown, options: WsRequestOptions, platform: Platform): ResolvedOptions {
  if (typeof url !== 'string' || !/^(ws|http)s?:\/\/./.test(url))
    throw bad('url', 'a text such as "wss://example.com/chat/ws"', url)
  if (typeof options !== 'object' || options === null)
    throw bad('options', 'an object, or a user id in front of it', options)
  const { token, store, user, autoConnect = true } = options
  if (token !== undefined && typeof token !== 'string' && typeof token !== 'function')
    throw bad('token', 'a text or a function that returns one', token)
  if (user !== undefined && (typeof user !== 'string' || user === '')) throw bad('user', 'a user id', user)
  return {
    url: url.replace(/^http/, 'ws'),
    token,
    user,
    autoConnect,
    ownsStore: typeof store !== 'object',
    open: typeof store === 'function' ? (user) => store(user, url) : store ? () => store : memoryStores(),
    connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs, 15_000),
    outboxItems: positive('outboxItems', options.outboxItems, 10_000),
    outboxBytes: positive('outboxBytes', options.outboxBytes, 32 << 20),
    outboxAgeMs: positive('outboxAgeMs', options.outboxAgeMs, 30 * 86_400_000),
    runtime: options.runtime ?? systemRuntime,
    socket: options.socket ?? platform.socket,
    wakeups: options.wakeups ?? platform.wakeups,
    limits: DEFAULT_LIMITS,
  }
}

function positive(name: string, value: number | undefined, standard: number): number {
  if (value === undefined) return standard
  if (typeof value === 'number' && value > 0) return value
  throw bad(name, 'a number above 0', value)
}

/** A store for each user; before the user is known, one that becomes theirs. */
function memoryStores(): (user: string | undefined) => ClientStore {
  const stores = new Map<string | undefined, ClientStore>()
  return (user) => {
    const store = stores.get(user) ?? new MemoryClientStore()
    stores.set(user, store)
    return store
  }
}
