import type { SendItem } from '@kithwire/protocol'
import type { Entry, Stored } from '../store.js'
import { type Content, fingerprint, sameContent } from './fingerprint.js'
import type { Doc } from './mongo-connection.js'
import { Ids } from './mongo-ids.js'
import type { Layout } from './mongo-layout.js'

/** An entry on its way into the log: all but its seq, and the same however often it is tried. */
export interface NewEntry {
  id: string
  /** Ms since 1970. */
  at: number
  from: string
  to?: string | undefined
  item: SendItem
}

/** Entries as documents of the app's collection, and back. */
export class Entries {
  constructor(private readonly layout: Layout) {}

  toDoc(conversation: string, seq: number, { id, at, from, to, item }: NewEntry): Doc {
    const { ids, options } = this.layout
    const { messages: names } = options
    const doc: Record<string, unknown> = {
      _id: ids.entry(id),
      [names.conversation]: ids.to('conversation', conversation),
      [names.from]: ids.to('from', from),
      [names.content]: item.content,
      [names.type]: item.type,
      [names.seq]: seq,
      [names.cid]: item.cid,
      [names.createdAt]: new Date(at),
    }
    if (to !== undefined) doc[names.to] = ids.to('from', to)
    if (item.ref) doc[names.ref] = [item.ref[0], item.ref[1]]
    if (item.meta) doc[names.meta] = JSON.stringify(item.meta)
    return doc
  }

  toEntry(conversation: string, doc: Doc): Entry {
    const { ids, options } = this.layout
    const { messages: names } = options
    return {
      id: ids.from(doc._id),
      conversation,
      seq: Number(doc[names.seq]),
      from: ids.from(doc[names.from]),
      cid: String(doc[names.cid]),
      createdAt: this.#time(doc),
      ...this.toContent(doc),
    }
  }

  /** Rows of before Kithwire may lack anything. */
  toContent(doc: Doc): Content {
    const { messages: names } = this.layout.options
    const content: Content = { type: String(doc[names.type] ?? 'text'), content: String(doc[names.content] ?? '') }
    const ref = doc[names.ref]
    const meta = doc[names.meta]
    if (Array.isArray(ref)) content.ref = [String(ref[0]), String(ref[1])]
    if (typeof meta === 'string') content.meta = JSON.parse(meta)
    return content
  }

  toStored(doc: Doc, duplicate: boolean): Stored {
    const { ids, options } = this.layout
    return { seq: Number(doc[options.messages.seq]), id: ids.from(doc._id), at: this.#time(doc), duplicate }
  }

  isBlanked(doc: Doc): boolean {
    return typeof doc[this.layout.options.messages.hash] === 'string'
  }

  /** What a blanked entry has instead of its content. */
  hash(doc: Doc, secret: Uint8Array): string {
    return fingerprint(secret, this.toContent(doc)).toString('base64')
  }

  /** Whether `item` is a retry of the entry in `doc`, whose content may have been blanked. */
  isRetry(doc: Doc, item: Content, secret: Uint8Array): boolean {
    if (!this.isBlanked(doc)) return sameContent(this.toContent(doc), item)
    return fingerprint(secret, item).toString('base64') === doc[this.layout.options.messages.hash]
  }

  /** Old rows may have a number or a text there; what says no time would be refused by every client. */
  #time(doc: Doc): number {
    const value = doc[this.layout.options.messages.createdAt]
    const time = typeof value === 'string' ? Date.parse(value) : Number(value ?? Number.NaN)
    return time >= 0 && time <= Number.MAX_SAFE_INTEGER ? Math.floor(time) : Ids.time(doc._id)
  }
}
