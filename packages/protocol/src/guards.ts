import { PROTOCOL_LIMITS } from './limits.js'

const ID = /^[A-Za-z0-9_-]{1,64}$/
const TYPE = /^[a-z][a-z0-9_.-]{0,31}$/
/** With the `u` flag a lone surrogate is a code point of category Cs; a pair is not. */
const LONE_SURROGATE = /\p{Cs}/u
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** A conversation, cid, device, session or entry id. */
export const isId = (value: unknown): value is string => typeof value === 'string' && ID.test(value)

/** The name of a kind of entry: a lower-case letter, then up to 31 of `a-z 0-9 _ . -`. */
export const isType = (value: unknown): value is string => typeof value === 'string' && TYPE.test(value)

/** The app's own user id: 1 to 256 characters, well-formed, no control characters. Not used as a key of an object. */
export const isUserId = (value: unknown): value is string =>
  isText(value, PROTOCOL_LIMITS.user) && value.length > 0 && !CONTROL.test(value)

/** A well-formed string of at most `most` UTF-16 units: it survives UTF-8. */
export const isText = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.length <= most && !LONE_SURROGATE.test(value)

/** A safe integer in [least, most]; −0 is none. */
export const isInteger = (value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most && !Object.is(value, -0)

export type JsonObject = { [key: string]: unknown }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a key names something of every object, such as `__proto__` or `toString`: never the name of a field. */
export const isReservedKey = (key: string): boolean => key === 'prototype' || key in Object.prototype

/**
 * Checks parsed JSON for depth, reserved keys and lone surrogates without recursion, so that hostile nesting costs
 * time in proportion to its length and no stack. Returns what is wrong, or undefined.
 */
export function checkJson(root: unknown, depth: number): string | undefined {
  const queue: unknown[] = [root]
  const levels = [1]
  for (let index = 0; index < queue.length; index++) {
    const value = queue[index]
    if (typeof value === 'string' && LONE_SURROGATE.test(value)) return 'well-formed strings'
    if (typeof value !== 'object' || value === null) continue
    const level = levels[index]!
    if (level > depth) return `at most ${depth} levels`
    for (const key of Object.keys(value)) {
      if (!Array.isArray(value) && (isReservedKey(key) || LONE_SURROGATE.test(key)))
        return 'keys other than reserved names'
      queue.push((value as JsonObject)[key])
      levels.push(level + 1)
    }
  }
  return undefined
}

/** Bytes of a string as UTF-8, without encoding it. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    else if (unit >= 0xd800 && unit <= 0xdbff) {
      // A pair is two units and four bytes.
      bytes += 2
      index++
    } else bytes += 2
  }
  return bytes
}

/** What `content` and `meta` count against the limit: their bytes as JSON, without the quotes around `content`. */
export function contentSize(content: string, meta: unknown): number {
  // JSON writes a UTF-16 unit in at most six bytes, so a short text needs no second look.
  const text = content.length * 6 <= 1_024 ? content.length * 6 : utf8Length(JSON.stringify(content)) - 2
  return meta === undefined ? text : text + utf8Length(JSON.stringify(meta))
}
