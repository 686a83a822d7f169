import type { Problem } from './codec.js'
import { checkJson, isId, isInteger, isObject, isReservedKey, isText, type JsonObject } from './guards.js'
import { PROTOCOL_LIMITS } from './limits.js'

/** How much of a wrong value an error message repeats: its kind, never its content. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'string') return `a string of ${value.length}`
  if (typeof value === 'number') return `the number ${value}`
  return typeof value === 'boolean' ? `${value}` : 'an object'
}

/**
 * Reads the own fields of one parsed object and remembers the first thing that is wrong. A reader asks for every field
 * it wants and looks at `problem` once, at the end; until then a wrong field reads as a harmless stand-in.
 */
export class Fields {
  problem: Problem | undefined

  constructor(
    private readonly source: JsonObject,
    private readonly where = '',
  ) {}

  /** The value of an own field. */
  get(name: string): unknown {
    return Object.hasOwn(this.source, name) ? this.source[name] : undefined
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  fail(name: string, expected: string, code: 'bad_field' | 'too_large' = 'bad_field'): void {
    this.problem ??= {
      code,
      message: `\`${this.where}${name}\`: expected ${expected}, came ${kindOf(this.get(name))}.`,
    }
  }

  check<T>(name: string, guard: (value: unknown) => value is T, expected: string, standIn: T): T {
    const value = this.get(name)
    if (guard(value)) return value
    this.fail(name, expected)
    return standIn
  }

  id(name: string): string {
    return this.check(name, isId, '1 to 64 of A-Z a-z 0-9 _ -', '')
  }

  text(name: string, most: number): string {
    const guard = (value: unknown): value is string => isText(value, most)
    return this.check(name, guard, `a well-formed string of at most ${most} characters`, '')
  }

  integer(name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
    const guard = (value: unknown): value is number => isInteger(value, least, most)
    return this.check(name, guard, `an integer from ${least} to ${most}`, least)
  }

  boolean(name: string): boolean {
    const guard = (value: unknown): value is boolean => typeof value === 'boolean'
    return this.check(name, guard, 'true or false', false)
  }

  /** An array of at most `most`, each element read by `read`, which returns undefined for a wrong one. */
  list<T>(name: string, most: number, expected: string, read: (value: unknown) => T | undefined): T[] {
    const value = this.get(name)
    const items: T[] = []
    if (!Array.isArray(value) || value.length > most) {
      this.fail(name, `at most ${most} of ${expected}`)
      return items
    }
    for (const element of value) {
      const item = read(element)
      if (item === undefined) {
        this.fail(name, `at most ${most} of ${expected}`)
        return items
      }
      items.push(item)
    }
    return items
  }

  ids(name: string, most: number): string[] {
    return this.list(name, most, 'ids', (value) => (isId(value) ? value : undefined))
  }

  /** A JSON object of limited depth without reserved keys. */
  json(name: string): JsonObject {
    const value = this.get(name)
    const wrong = isObject(value) ? checkJson(value, PROTOCOL_LIMITS.depth) : 'a JSON object'
    if (wrong === undefined) return value as JsonObject
    this.fail(name, wrong)
    return {}
  }

  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.has(name) ? read.call(this, name) : undefined
  }
}

/** Whether one of an object's own keys is reserved, or there are more than a frame may have. */
export function checkKeys(source: JsonObject): Problem | undefined {
  let count = 0
  for (const key in source) {
    if (++count > PROTOCOL_LIMITS.keys)
      return { code: 'bad_frame', message: `Expected at most ${PROTOCOL_LIMITS.keys} fields in a frame, came more.` }
    if (isReservedKey(key))
      return { code: 'bad_field', message: 'Expected field names of the protocol, came a reserved name.' }
  }
  return undefined
}
