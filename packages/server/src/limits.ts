import { DEFAULT_LIMITS, KithwireError, type Limits } from '@kithwire/protocol'

/** Every limit of a server. What clients must know of them (`Limits`) is told in each `welcome`. */
export interface ServerLimits extends Limits {
  /** Fragments of one message; for the WebSocket layer. @default 64 */
  maxFragments: number
  /** Unread chunks that the WebSocket layer may hold for one socket. @default 1024 */
  maxBufferedChunks: number
  /** Connections of one user. Beyond it 4510. @default 20 */
  connectionsPerUser: number
  /** Connections from one address. Beyond it HTTP 429. @default 100 */
  connectionsPerAddress: number
  /** Connections of the process. Beyond it HTTP 503. @default 50000 */
  connections: number
  /** Handshakes of one address per second, in the long run. Beyond it HTTP 429. @default 20 */
  handshakeRate: number
  /** Handshakes of one address at once after a pause. One with refused credentials counts as five. @default 200 */
  handshakeBurst: number
  /** HTTP requests of one user per second, in the long run. Beyond it HTTP 429. @default 20 */
  requestRate: number
  /** HTTP requests of one user at once after a pause. @default 200 */
  requestBurst: number
  /** Ms that one message may take from its first byte to its last, then 1008. @default 15000 */
  messageMs: number
  /** Sockets of the process that have not said hello. Beyond it HTTP 503. @default 1000 */
  pendingHellos: number
  /** Ms within which `hello` must be complete, else 4005. @default 5000 */
  helloMs: number
  /** Ms between WebSocket pings (± 20 %), and between `heartbeat` frames of an idle socket. @default 25000 */
  heartbeatMs: number
  /** Ms without any inbound frame after a ping, then 4003. @default 20000 */
  deadMs: number
  /** Bytes in the outbound buffer beyond which pushes are skipped and `behind` follows. @default 262144 */
  softBuffer: number
  /** Bytes in the outbound buffer beyond which the socket is closed 4008. @default 1048576 */
  hardBuffer: number
  /** Ms without progress of a non-empty outbound buffer, then 4008. @default 30000 */
  stallMs: number
  /** Bytes in the outbound buffer beyond which signals are dropped. @default 16384 */
  signalBuffer: number
  /** Frames of one connection per second, in the long run. @default 50 */
  frameRate: number
  /** Frames of one connection at once after a pause. @default 200 */
  frameBurst: number
  /** Bytes of one connection per second, in the long run. @default 131072 */
  byteRate: number
  /** Bytes of one connection at once after a pause. @default 524288 */
  byteBurst: number
  /** Violations of the frame and byte rates within a minute, then 4029. @default 10 */
  violations: number
  /** Frames within a minute that are not of the protocol, then 4500. @default 3 */
  badFrames: number
  /** Bare frames within a minute that cannot be read, then 1008. @default 10 */
  badLegacyFrames: number
  /** Ms that a send may wait for the store, then it is refused `busy`. @default 5000 */
  queueMs: number
  /** Items of all connections that may wait for the store; beyond it `busy` at once. @default 20000 */
  queueItems: number
  /** Bytes of all items that may wait for the store; beyond it `busy` at once. @default 67108864 */
  queueBytes: number
  /** Items of one append. @default 1024 */
  batchItems: number
  /** Bytes of one append. @default 1048576 */
  batchBytes: number
  /** Ms for which the members of a conversation are remembered. @default 30000 */
  membershipMs: number
  /**
   * Ms (± 20 %) between looks at the log for what nobody handed out: a server that died after it had stored, a hint that
   * was lost. The longest that a connected device can miss something is 1.2 of it. 0: never. @default 60000
   */
  sweepMs: number
  /** Conversations of connected users that are looked at, those with the latest entries first. @default 50000 */
  sweepConversations: number
  /** Ms after a user's last socket until friends are told that the user has gone. @default 5000 */
  presenceMs: number
  /** Ms between `token_expired` and 4001, for an `auth` in between. @default 30000 */
  authMs: number
}

export const DEFAULT_SERVER_LIMITS: Readonly<ServerLimits> = Object.freeze({
  ...DEFAULT_LIMITS,
  maxFragments: 64,
  maxBufferedChunks: 1_024,
  connectionsPerUser: 20,
  connectionsPerAddress: 100,
  connections: 50_000,
  handshakeRate: 20,
  handshakeBurst: 200,
  requestRate: 20,
  requestBurst: 200,
  messageMs: 15_000,
  pendingHellos: 1_000,
  helloMs: 5_000,
  heartbeatMs: 25_000,
  deadMs: 20_000,
  softBuffer: 262_144,
  hardBuffer: 1_048_576,
  stallMs: 30_000,
  signalBuffer: 16_384,
  frameRate: 50,
  frameBurst: 200,
  byteRate: 131_072,
  byteBurst: 524_288,
  violations: 10,
  badFrames: 3,
  badLegacyFrames: 10,
  queueMs: 5_000,
  queueItems: 20_000,
  queueBytes: 67_108_864,
  batchItems: 1_024,
  batchBytes: 1_048_576,
  membershipMs: 30_000,
  sweepMs: 60_000,
  sweepConversations: 50_000,
  presenceMs: 5_000,
  authMs: 30_000,
})

/** Limits for which 0 means never. */
const MAY_BE_OFF: ReadonlySet<string> = new Set(['sweepMs'])

/**
 * Fills in the defaults.
 *
 * @throws KithwireError `bad_option` for a limit that does not exist or is too small
 */
export function resolveLimits(given: Partial<ServerLimits> = {}): ServerLimits {
  const limits: ServerLimits = { ...DEFAULT_SERVER_LIMITS }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!Object.hasOwn(DEFAULT_SERVER_LIMITS, name))
      throw new KithwireError(
        'bad_option',
        `limits.${name}: there is no such limit. Known: ${Object.keys(limits).join(', ')}.`,
      )
    const off = MAY_BE_OFF.has(name)
    if (!Number.isSafeInteger(value) || value < (off ? 0 : 1)) {
      const expected = `a positive integer${off ? ', or 0 for never' : ''}`
      throw new KithwireError('bad_option', `limits.${name}: expected ${expected}, came ${String(value)}.`)
    }
    limits[name as keyof ServerLimits] = value
  }
  if (limits.softBuffer > limits.hardBuffer)
    throw new KithwireError(
      'bad_option',
      `limits.softBuffer: expected at most hardBuffer (${limits.hardBuffer}), came ${limits.softBuffer}.`,
    )
  return limits
}
