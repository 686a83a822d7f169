/** A timer that was set; only its Runtime knows what it is. */
export type Timer = unknown

/**
 * Time, timers and randomness, as an option of client and server and never module state. The simulation passes a fake
 * one, so that a run of the shipped classes is a function of its seed.
 */
export interface Runtime {
  /** Wall clock in ms since 1970. May jump. For display and for noticing sleep, never for order. */
  now(): number
  /** Monotonic clock in whole ms from any start. For every duration. */
  monotonic(): number
  /** Calls `run` once, not before `ms` have passed. */
  setTimer(run: () => void, ms: number): Timer
  clearTimer(timer: Timer): void
  /** Uniform in [0, 1). For jitter; not secret. */
  random(): number
  /** `length` random bytes. From a secure source in production. */
  bytes(length: number): Uint8Array
}

interface HostGlobals {
  setTimeout(run: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
  performance: { now(): number }
  crypto: { getRandomValues(bytes: Uint8Array): Uint8Array }
}

const host = globalThis as unknown as HostGlobals

/** Random bytes that nobody has seen yet. One call of the secure source costs as much for 4 KiB as for an id. */
const pool = new Uint8Array(4_096)
let unused = 0

function secureBytes(length: number): Uint8Array {
  if (length > 256) return host.crypto.getRandomValues(new Uint8Array(length))
  if (unused < length) {
    host.crypto.getRandomValues(pool)
    unused = pool.length
  }
  unused -= length
  const bytes = pool.slice(unused, unused + length)
  pool.fill(0, unused, unused + length)
  return bytes
}

/** The real clocks, timers and random source of the process. */
export const systemRuntime: Runtime = Object.freeze({
  now: () => Date.now(),
  // Whole numbers are kept in place; each fraction would be an object.
  monotonic: () => Math.floor(host.performance.now()),
  setTimer: (run: () => void, ms: number) => host.setTimeout(run, ms),
  clearTimer: (timer: Timer) => host.clearTimeout(timer),
  random: () => Math.random(),
  bytes: secureBytes,
})

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** 22 random characters of `[A-Za-z0-9_-]`: 132 bits. Used for devices, sessions and entries. */
export function newId(runtime: Runtime): string {
  // In place and turned into a string at once: a store makes one for each message, and 22 strings cost thrice as much.
  const bytes = runtime.bytes(22)
  for (let index = 0; index < 22; index++) bytes[index] = ALPHABET.charCodeAt(bytes[index]! & 63)
  return String.fromCharCode.apply(null, bytes as unknown as number[])
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** A UUIDv7 (RFC 9562, 5.7): 48 bits of wall clock, then 74 random bits. Its order keeps a store's cid index append-only. */
export function newCid(runtime: Runtime): string {
  const bytes = runtime.bytes(16)
  const now = runtime.now()
  const high = Math.floor(now / 0x1_0000_0000)
  bytes[0] = high >>> 8
  bytes[1] = high
  bytes[2] = now / 0x100_0000
  bytes[3] = now / 0x1_0000
  bytes[4] = now / 0x100
  bytes[5] = now
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  let cid = ''
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) cid += '-'
    cid += HEX[bytes[index]!]
  }
  return cid
}
