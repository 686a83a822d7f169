import { Fields } from './fields.js'
import { contentSize, isId, isObject, isText, isUserId } from './guards.js'
import { DEFAULT_LIMITS, type Limits } from './limits.js'
import type { IMessage } from './message.js'

/** The kinds that the article's clients know. Entries of other kinds are not sent to them. */
export const LEGACY_TYPES = ['text', 'emoji', 'file'] as const
export type LegacyType = (typeof LEGACY_TYPES)[number]

/** A bare frame as an article's client sends it. `from` is what it claims; the server replaces it. */
export interface LegacySend {
  /** The friendship, which is the conversation. */
  friend: string
  /** The receiver, who must be the other one of the two. */
  to: string
  content: string
  type: LegacyType
}

/** A bare frame as an article's client receives it. */
export interface LegacyMessage {
  _id: string
  friend: string
  from: string
  to: string
  content: string
  type: LegacyType
  createdAt: number
  seq: number
}

export type LegacyDecoded = { ok: true; message: LegacySend } | { ok: false; problem: string }

const isLegacyType = (value: unknown): value is LegacyType => LEGACY_TYPES.includes(value as LegacyType)

/** Reads a bare frame. Never throws; the problem is for the log, since a legacy client cannot be told. */
export function decodeLegacy(text: string, limits: Pick<Limits, 'content'> = DEFAULT_LIMITS): LegacyDecoded {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, problem: 'not JSON' }
  }
  if (!isObject(value)) return { ok: false, problem: 'not a JSON object' }
  const fields = new Fields(value)
  const [friend, to, content, type = 'text'] = ['friend', 'to', 'content', 'type'].map((name) => fields.get(name))
  if (!isId(friend)) return { ok: false, problem: '`friend` is not an id' }
  if (!isUserId(to)) return { ok: false, problem: '`to` is not a user id' }
  if (!isText(content, Number.MAX_SAFE_INTEGER) || content === '')
    return { ok: false, problem: '`content` is not a text' }
  if (contentSize(content, undefined) > limits.content) return { ok: false, problem: '`content` is too large' }
  if (!isLegacyType(type)) return { ok: false, problem: '`type` is not one of text, emoji, file' }
  return { ok: true, message: { friend, to, content, type } }
}

/**
 * The bare frame of an entry for the legacy client of `reader`, or undefined if such a client does not know the kind.
 * `to` is the reader where the entry names nobody, as in a conversation of more than two.
 */
export function encodeLegacy(message: IMessage, reader: string): string | undefined {
  if (!isLegacyType(message.type)) return undefined
  const frame: LegacyMessage = {
    _id: message.id,
    friend: message.conversation,
    from: message.from,
    to: message.to ?? reader,
    content: message.content,
    type: message.type,
    createdAt: message.createdAt,
    seq: message.seq,
  }
  return JSON.stringify(frame)
}
