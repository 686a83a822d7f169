import { type IMessage, isId, isInteger, isObject, isUserId, type Signal } from '@kithwire/protocol'
import type { MarksFrame, OwnMarksFrame } from './marks.js'

/** What one server tells the others by the bus. */
export type Hint =
  /** Entries of one send up to `seq`; without items: look at the head. */
  | { kind: 'entries'; conversation: string; seq: number; items?: readonly IMessage[] }
  | { kind: 'cursor'; cursor: MarksFrame }
  /** To the user alone. */
  | { kind: 'own'; cursor: OwnMarksFrame }
  /** `ask`: who else is there? */
  | { kind: 'signal'; signal: Required<Signal>; ask?: boolean }
  /** Is this user at another node, whose last socket here has gone? */
  | { kind: 'still'; user: string }
  /** The user is. */
  | { kind: 'here'; user: string }
  /** The members of a conversation changed. */
  | { kind: 'members'; conversation: string }
  /** A device of the user has a session of this attempt: lower ones end. */
  | { kind: 'device'; device: string; attempt: number }
  | { kind: 'revoke'; code: 4501 | 4503 }

/** Raised by a change that an older server would misread. One that does not know a version or a kind leaves it alone. */
const VERSION = 1

/** @param node who publishes, so that it knows its own hints again */
export const encodeHint = (node: string, hint: Hint): string => JSON.stringify({ v: VERSION, node, ...hint })

/** The hint and its node, or undefined for what cannot be read: it counts as lost. Never throws. */
export function decodeHint(text: string): { node: string; hint: Hint } | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value) || value.v !== VERSION || typeof value.node !== 'string' || !isHint(value)) return undefined
  return { node: value.node, hint: value }
}

/** The bus is the app's own, like its store: this finds what is broken or of another version, not an attacker. */
function isHint(value: { [field: string]: unknown }): value is { [field: string]: unknown } & Hint {
  const { cursor, signal } = value
  switch (value.kind) {
    case 'entries':
      return isId(value.conversation) && isInteger(value.seq, 1) && areItems(value.items, value.conversation)
    case 'cursor':
      return isMarks(cursor)
    case 'own':
      return isMarks(cursor) && [cursor.seen, cursor.unread, cursor.head].every((part) => isInteger(part, 0))
    case 'signal':
      return (
        isObject(signal) &&
        isId(signal.conversation) &&
        isUserId(signal.user) &&
        typeof signal.value === 'boolean' &&
        isSignalKind(signal.kind)
      )
    case 'still':
    case 'here':
      return isUserId(value.user)
    case 'members':
      return isId(value.conversation)
    case 'device':
      return isId(value.device) && isInteger(value.attempt, 0)
    case 'revoke':
      return value.code === 4501 || value.code === 4503
    default:
      return false
  }
}

const isSignalKind = (kind: unknown): boolean => kind === 'typing' || kind === 'presence'

const isMarks = (cursor: unknown): cursor is { [field: string]: unknown } =>
  isObject(cursor) &&
  isId(cursor.conversation) &&
  isUserId(cursor.user) &&
  isInteger(cursor.delivered, 0) &&
  isInteger(cursor.read, 0)

function areItems(items: unknown, conversation: string): boolean {
  if (items === undefined) return true
  if (!Array.isArray(items)) return false
  return items.every(
    (item) =>
      isObject(item) &&
      item.conversation === conversation &&
      isId(item.id) &&
      isId(item.cid) &&
      isInteger(item.seq, 1) &&
      isUserId(item.from) &&
      typeof item.type === 'string' &&
      typeof item.content === 'string',
  )
}
