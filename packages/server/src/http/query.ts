import { isId } from '@kithwire/protocol'
import type { Range } from '../store.js'
import { badRequest } from './respond.js'

const DEFAULT_LIMIT = 50
const MOST_LIMIT = 200

/**
 * The query of a URL, read here and not by a framework: those make objects and arrays of `a[$ne]=x` and `a[]=x`, which
 * a database takes for an operator. A name that we know comes once, as a string, or the request is refused.
 */
export class Query {
  private readonly values = new Map<string, string>()

  constructor(url: string, known: readonly string[]) {
    const start = url.indexOf('?')
    if (start < 0) return
    for (const [name, value] of new URLSearchParams(url.slice(start))) {
      const plain = name.split(/[[.]/, 1)[0]!
      if (!known.includes(plain)) continue
      if (plain !== name || this.values.has(name)) throw badRequest(`Expected \`${plain}\` once, as plain text.`)
      this.values.set(name, value)
    }
  }

  has(name: string): boolean {
    return this.values.has(name)
  }

  id(name: string): string {
    const value = this.values.get(name)
    if (!isId(value)) throw badRequest(`Expected \`${name}\` to be an id.`)
    return value
  }

  integer(name: string, fallback: number): number {
    const value = this.values.get(name)
    if (value === undefined) return fallback
    const number = Number(value)
    if (!/^[0-9]{1,16}$/.test(value) || !Number.isSafeInteger(number))
      throw badRequest(`Expected \`${name}\` to be a whole number.`)
    return number
  }

  /** `before` or `after`, and `limit`; the newest entries if neither is given. */
  range(): Range {
    if (this.has('before') && this.has('after')) throw badRequest('Expected `before` or `after`, came both.')
    const limit = Math.min(this.integer('limit', DEFAULT_LIMIT), MOST_LIMIT)
    if (limit === 0) throw badRequest('Expected `limit` of at least 1.')
    if (this.has('after')) return { after: this.integer('after', 0), limit }
    return { before: this.integer('before', Number.MAX_SAFE_INTEGER), limit }
  }
}
