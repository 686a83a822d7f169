import type { SqlValue } from './sqlite-driver.js'

/**
 * A string as SQLite keeps it. Drivers cut TEXT at its first NUL, on the way in or on the way out, so a string with
 * one is kept as a BLOB of its UTF-8. TEXT and BLOB never compare equal, so no two strings become the same value.
 */
export const toSql = (text: string): string | Buffer => (text.includes('\u0000') ? Buffer.from(text) : text)

export function fromSql(value: SqlValue | undefined): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return asBuffer(value).toString()
  throw new TypeError(`Expected TEXT or BLOB from SQLite, came ${value === null ? 'NULL' : typeof value}.`)
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A BLOB of this length is a UUID. */
const UUID_BYTES = 16

/**
 * A cid as the index keeps it: 16 bytes for a UUID, which is what clients send, and any other one as text. One with a
 * NUL, which no client can send, is made longer than a UUID can be.
 */
export function cidToSql(cid: string): string | Buffer {
  const uuid = cid.length === 36 ? uuidBytes(cid) : undefined
  if (uuid !== undefined) return uuid
  const value = toSql(cid)
  return typeof value === 'string' ? value : Buffer.concat([Buffer.alloc(UUID_BYTES), value])
}

export function cidFromSql(value: SqlValue | undefined): string {
  if (!(value instanceof Uint8Array)) return fromSql(value)
  if (value.length !== UUID_BYTES) return fromSql(value.subarray(UUID_BYTES))
  return uuidOf(asBuffer(value).toString('hex'))
}

const DIGITS = '0123456789abcdef'
/** By the code of a character. Only in lower case: a cid in upper case is another one, and must come back as it was. */
const DIGIT = Int8Array.from({ length: 128 }, (_, code) => DIGITS.indexOf(String.fromCharCode(code)))
/** Where the two digits of each byte are. */
const AT = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]

/** The bytes of a UUID as text, or undefined. By hand, since every message has one. */
function uuidBytes(text: string): Buffer | undefined {
  if (text[8] !== '-' || text[13] !== '-' || text[18] !== '-' || text[23] !== '-') return undefined
  const bytes = Buffer.allocUnsafe(UUID_BYTES)
  for (let index = 0; index < UUID_BYTES; index++) {
    const at = AT[index]!
    const high = DIGIT[text.charCodeAt(at)] ?? -1
    const low = DIGIT[text.charCodeAt(at + 1)] ?? -1
    if (high < 0 || low < 0) return undefined
    bytes[index] = high * 16 + low
  }
  return bytes
}

/** The UUID of 32 hexadecimal digits. */
export function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
