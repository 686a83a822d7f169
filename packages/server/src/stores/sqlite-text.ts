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

/** Only in lower case: a cid in upper case is another cid, and must come back as it was. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A BLOB of this length is a UUID. */
const UUID_BYTES = 16

/**
 * A cid as the index keeps it: 16 bytes for a UUID, which is what clients send, and any other one as text. One with a
 * NUL, which no client can send, is made longer than a UUID can be.
 */
export function cidToSql(cid: string): string | Buffer {
  if (cid.length === 36 && UUID.test(cid)) return Buffer.from(cid.replaceAll('-', ''), 'hex')
  const value = toSql(cid)
  return typeof value === 'string' ? value : Buffer.concat([Buffer.alloc(UUID_BYTES), value])
}

export function cidFromSql(value: SqlValue | undefined): string {
  if (!(value instanceof Uint8Array)) return fromSql(value)
  if (value.length !== UUID_BYTES) return fromSql(value.subarray(UUID_BYTES))
  return uuidOf(asBuffer(value).toString('hex'))
}

/** The UUID of 32 hexadecimal digits. */
export function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
