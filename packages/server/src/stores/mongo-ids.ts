import type { Runtime } from '@kithwire/protocol'
import type { ObjectIdClass } from './mongo-connection.js'
import type { MongoIdType, MongoIdTypes } from './mongo-options.js'

/** Upper case is left a string: it must come back as it was. */
const OBJECT_ID = /^[0-9a-f]{24}$/

const asHex = (value: unknown): string | undefined =>
  typeof (value as { toHexString?: unknown } | null)?.toHexString === 'function'
    ? (value as { toHexString(): string }).toHexString()
    : undefined

/** Ids of Kithwire, which are strings, and what stands for them in documents. */
export class Ids {
  #second = 0
  #count = 0
  /** Set at the start, from the options, the app's models and its data. */
  readonly types: MongoIdTypes = { conversation: 'objectId', from: 'string', user: 'objectId' }

  constructor(
    private readonly ObjectId: ObjectIdClass,
    private readonly runtime: Runtime,
  ) {}

  /** @throws TypeError for what is no string: no operator ever gets into a query. */
  to(kind: keyof MongoIdTypes, id: string): unknown {
    if (typeof id !== 'string') throw new TypeError(`Expected an id that is a string, came ${typeof id}.`)
    return this.types[kind] === 'objectId' && OBJECT_ID.test(id) ? new this.ObjectId(id) : id
  }

  from(value: unknown): string {
    return typeof value === 'string' ? value : (asHex(value) ?? String(value ?? ''))
  }

  /** The `_id` of an entry, which may be of an old one. */
  entry(id: string): unknown {
    return OBJECT_ID.test(id) ? new this.ObjectId(id) : id
  }

  /**
   * Hex digits of a new ObjectId: seconds, a count within the second, since apps sort their messages by `_id`, and 6
   * random bytes, so that tails tell logs apart. Grows also while the clock goes back.
   */
  make(): string {
    const second = Math.floor(this.runtime.now() / 1_000) % 0x1_0000_0000
    if (second > this.#second) {
      this.#second = second
      this.#count = 0
    } else if (++this.#count > 0xffff) {
      this.#second++
      this.#count = 0
    }
    const random = Buffer.from(this.runtime.bytes(6)).toString('hex')
    return this.#second.toString(16).padStart(8, '0') + this.#count.toString(16).padStart(4, '0') + random
  }

  /** When an id was made, in ms since 1970; 0 for an id that does not say it. */
  static time(value: unknown): number {
    const hex = asHex(value)
    return hex === undefined ? 0 : Number.parseInt(hex.slice(0, 8), 16) * 1_000
  }

  /** How this value is kept; undefined where it does not tell. */
  static typeOf(value: unknown): MongoIdType | undefined {
    if (asHex(value) !== undefined) return 'objectId'
    return typeof value === 'string' && OBJECT_ID.test(value) ? 'string' : undefined
  }
}
