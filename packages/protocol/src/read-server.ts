import type { AckItem, HeadTuple, MarkTuple, Page, Refusal, ServerFrame, Welcome } from './envelope.js'
import { isWireErrorCode, type WireErrorCode } from './errors.js'
import type { Fields } from './fields.js'
import { checkJson, isId, isInteger, isObject, isText, isType, isUserId } from './guards.js'
import { DEFAULT_LIMITS, type Limits, PROTOCOL_LIMITS } from './limits.js'
import type { IMessage } from './message.js'
import { isRef, readPosition, readSignal, readTail } from './read-client.js'

/** Reads a server's frame by its type; undefined for a type that this version does not know. */
export function readServerFrame(type: string, fields: Fields): ServerFrame | undefined {
  switch (type) {
    case 'messages':
      return { t: 'messages', conversation: fields.id('conversation'), items: messages(fields) }
    case 'ack':
      return {
        t: 'ack',
        re: fields.integer('re', 0),
        conversation: fields.id('conversation'),
        items: fields.list('items', PROTOCOL_LIMITS.items, 'acks', readAckItem),
        ...(fields.has('refused') && { refused: readRefusal(fields) }),
      }
    case 'page':
      return readPage(fields)
    case 'cursor':
      return {
        t: 'cursor',
        conversation: fields.id('conversation'),
        ...(fields.has('delivered') && { delivered: fields.integer('delivered', 0) }),
        ...(fields.has('read') && { read: fields.integer('read', 0) }),
        ...(fields.has('seen') && { seen: fields.integer('seen', 0) }),
        ...(fields.has('unread') && { unread: fields.integer('unread', 0) }),
        ...(fields.has('head') && { head: fields.integer('head', 0) }),
        ...(fields.has('user') && { user: fields.check('user', isUserId, 'a user id', '') }),
      }
    case 'signal':
      return { ...readSignal(fields), user: fields.check('user', isUserId, 'a user id', '') }
    case 'heartbeat':
      return { t: 'heartbeat', now: fields.integer('now', 0) }
    case 'pong':
      return { t: 'pong', re: fields.integer('re', 0) }
    case 'welcome':
      return readWelcome(fields)
    case 'behind':
      return { t: 'behind', heads: heads(fields) }
    case 'drain':
      return { t: 'drain', spread: fields.integer('spread', 0) }
    case 'auth':
      return {
        t: 'auth',
        re: fields.integer('re', 0),
        ...(fields.has('expires') && { expires: fields.integer('expires', 0) }),
      }
    case 'error':
      return {
        t: 'error',
        ...(fields.has('re') && { re: fields.integer('re', 0) }),
        code: readCode(fields.get('code')),
        message: fields.text('message', 1_024),
        fatal: fields.boolean('fatal'),
      }
    default:
      return undefined
  }
}

/** A newer server may have codes that we do not know; `retry` beside them says all that the client needs. */
const readCode = (value: unknown): WireErrorCode => (isWireErrorCode(value) ? value : 'internal')

const isRefused = (value: unknown): value is NonNullable<Page['refused']> =>
  isObject(value) &&
  typeof value.code === 'string' &&
  typeof value.retry === 'boolean' &&
  (value.after === undefined || isInteger(value.after, 0))

function readRefused(fields: Fields): NonNullable<Page['refused']> {
  const { code, retry, after } = fields.check('refused', isRefused, 'a refusal', { code: 'internal', retry: true })
  return { code: readCode(code), retry, ...(after !== undefined && { after }) }
}

function readRefusal(fields: Fields): Refusal {
  const { cid } = fields.check('refused', hasCid, 'a refusal with a cid', { cid: '' })
  return { cid, ...readRefused(fields) }
}

const hasCid = (value: unknown): value is { cid: string } => isObject(value) && isText(value.cid, 64)

function readAckItem(value: unknown): AckItem | undefined {
  if (!isObject(value) || !isId(value.cid) || !isInteger(value.seq, 1) || !isId(value.id) || !isInteger(value.at, 0))
    return undefined
  const item: AckItem = { cid: value.cid, seq: value.seq, id: value.id, at: value.at }
  if (value.duplicate === true) item.duplicate = true
  return item
}

/** Reads one message of a server. Its content may be empty: retention and erasure blank it. */
export function readMessage(value: unknown): IMessage | undefined {
  if (!isObject(value)) return undefined
  const { id, conversation, seq, from, to, type, content, createdAt, cid, ref, meta } = value
  if (!isId(id) || !isId(conversation) || !isInteger(seq, 1) || !isUserId(from) || !isType(type)) return undefined
  if (!isText(content, Number.MAX_SAFE_INTEGER) || !isInteger(createdAt, 0) || !isId(cid)) return undefined
  const message: IMessage = { id, conversation, seq, from, type, content, createdAt, cid }
  if (to !== undefined) {
    if (!isUserId(to)) return undefined
    message.to = to
  }
  if (ref !== undefined) {
    if (!isRef(ref)) return undefined
    message.ref = ref
  }
  if (meta !== undefined) {
    if (!isObject(meta) || checkJson(meta, PROTOCOL_LIMITS.depth) !== undefined) return undefined
    message.meta = meta
  }
  return message
}

const messages = (fields: Fields): IMessage[] => fields.list('items', PROTOCOL_LIMITS.page, 'messages', readMessage)

function readMark(value: unknown): MarkTuple | undefined {
  if (!Array.isArray(value)) return undefined
  const [user, delivered, read] = value
  return isUserId(user) && isInteger(delivered, 0) && isInteger(read, 0) ? [user, delivered, read] : undefined
}

function readHead(value: unknown): HeadTuple | undefined {
  if (!Array.isArray(value)) return undefined
  const [conversation, head, first, joined, delivered, read, marks, tail, seen = read, unread] = value
  if (!isId(conversation) || ![head, first, joined, delivered, read, seen].every((part) => isInteger(part, 0)))
    return undefined
  if (unread !== undefined && !isInteger(unread, 0)) return undefined
  if (!Array.isArray(marks) || !readTail(tail)) return undefined
  const others = marks.map(readMark)
  if (others.includes(undefined)) return undefined
  const tuple = [conversation, head, first, joined, delivered, read, others as MarkTuple[], tail] as const
  if (unread !== undefined) return [...tuple, seen, unread]
  return value.length > 8 ? [...tuple, seen] : [...tuple]
}

const heads = (fields: Fields): HeadTuple[] => fields.list('heads', PROTOCOL_LIMITS.heads, 'heads', readHead)

function readPage(fields: Fields): Page {
  const page: Page = { t: 'page', conversation: fields.id('conversation') }
  if (fields.has('re')) page.re = fields.integer('re', 0)
  if (fields.has('items')) page.items = messages(fields)
  if (fields.has('head')) page.head = fields.integer('head', 0)
  if (fields.has('first')) page.first = fields.integer('first', 0)
  if (fields.has('tail')) page.tail = fields.check('tail', readTail, 'at most 8 characters of an id', '')
  if (fields.has('more')) page.more = fields.boolean('more')
  if (fields.has('reset')) {
    const { to, id } = fields.check('reset', isReset, '{to, id}', { to: 0, id: '' })
    page.reset = { to, id }
  }
  if (fields.has('refused')) page.refused = readRefused(fields)
  return page
}

const isReset = (value: unknown): value is { to: number; id: string } =>
  isObject(value) && isInteger(value.to, 0) && (value.id === '' || isId(value.id))

function readWelcome(fields: Fields): Welcome {
  const welcome: Welcome = {
    t: 'welcome',
    session: fields.id('session'),
    user: fields.check('user', isUserId, 'a user id', ''),
    epoch: fields.id('epoch'),
    now: fields.integer('now', 0),
    heartbeat: fields.integer('heartbeat', 1),
    limits: readLimits(fields),
    heads: heads(fields),
    capabilities: fields.ids('capabilities', 64),
  }
  if (fields.has('more')) welcome.more = fields.boolean('more')
  if (fields.has('since')) welcome.since = fields.check('since', readPosition, '[pos, tail]', [0, ''])
  return welcome
}

function readLimits(fields: Fields): Limits {
  const { frame, content, rate, burst, inflight } = fields.check(
    'limits',
    isLimits,
    'positive integers',
    DEFAULT_LIMITS,
  )
  return { frame, content, rate, burst, inflight }
}

const isLimits = (value: unknown): value is Limits =>
  isObject(value) && (Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]).every((name) => isInteger(value[name], 1))
