import type { Problem } from './codec.js'
import type { Auth, ClientFrame, Cursor, CursorTuple, Hello, Ping, Send, Signal, Sync } from './envelope.js'
import { Fields } from './fields.js'
import { contentSize, isId, isInteger, isObject, isReservedKey, isType, isUserId } from './guards.js'
import { type Limits, PROTOCOL_LIMITS } from './limits.js'
import type { MessageRef, SendItem } from './message.js'

/** Reads a client's frame by its type; undefined for a type that is not a client's. */
export function readClientFrame(
  type: string,
  fields: Fields,
  limits: Pick<Limits, 'content'>,
): ClientFrame | undefined {
  switch (type) {
    case 'send':
      return readSend(fields, limits)
    case 'sync':
      return readSync(fields)
    case 'cursor':
      return readCursor(fields)
    case 'signal':
      return readSignal(fields)
    case 'hello':
      return readHello(fields)
    case 'ping':
      return { t: 'ping', n: fields.integer('n', 0) } satisfies Ping
    case 'auth':
      return { t: 'auth', n: fields.integer('n', 0), token: fields.text('token', PROTOCOL_LIMITS.token) } satisfies Auth
    default:
      return undefined
  }
}

const SEQ_MOST = Number.MAX_SAFE_INTEGER
const isDevice = (value: unknown): value is string => isId(value) && value.length === PROTOCOL_LIMITS.device

export function readTail(value: unknown): value is string {
  return value === '' || (isId(value) && value.length <= 8)
}

function readCursorTuple(value: unknown): CursorTuple | undefined {
  if (!Array.isArray(value) || value.length < 3) return undefined
  const [conversation, seq, tail] = value
  return isId(conversation) && isInteger(seq, 0) && readTail(tail) ? [conversation, seq, tail] : undefined
}

export function readPosition(value: unknown): value is readonly [number, string] {
  return Array.isArray(value) && value.length === 2 && isInteger(value[0], 0) && readTail(value[1])
}

function readHello(fields: Fields): Hello {
  const hello: Hello = {
    t: 'hello',
    device: fields.check('device', isDevice, `${PROTOCOL_LIMITS.device} of A-Z a-z 0-9 _ -`, ''),
    attempt: fields.integer('attempt', 0),
  }
  if (fields.has('cursors'))
    hello.cursors = fields.list('cursors', PROTOCOL_LIMITS.cursors, '[conversation, seq, tail]', readCursorTuple)
  if (fields.has('more')) hello.more = fields.boolean('more')
  if (fields.has('since')) hello.since = fields.check('since', readPosition, '[pos, tail]', [0, ''])
  if (fields.has('epoch')) hello.epoch = fields.id('epoch')
  if (fields.has('token')) hello.token = fields.text('token', PROTOCOL_LIMITS.token)
  if (fields.has('capabilities')) hello.capabilities = fields.ids('capabilities', 32)
  return hello
}

function readSend(fields: Fields, limits: Pick<Limits, 'content'>): Send {
  const send: Send = { t: 'send', n: fields.integer('n', 0), conversation: fields.id('conversation'), items: [] }
  if (fields.has('from')) fields.fail('from', 'no such field: the server sets it')
  const list = fields.get('items')
  if (!Array.isArray(list) || list.length < 1 || list.length > PROTOCOL_LIMITS.items) {
    fields.fail('items', `1 to ${PROTOCOL_LIMITS.items} items`)
    return send
  }
  const items: SendItem[] = []
  send.items = items
  for (let index = 0; index < list.length; index++) {
    const item = readItem(list[index], `items[${index}].`, limits)
    if ('problem' in item) {
      send.invalid = {
        cid: item.cid,
        code: item.problem.code as 'bad_field' | 'too_large',
        message: item.problem.message,
      }
      break
    }
    items.push(item)
  }
  return send
}

type BadItem = { cid: string; problem: Problem }

function readItem(value: unknown, where: string, limits: Pick<Limits, 'content'>): SendItem | BadItem {
  if (!isObject(value)) return { cid: '', problem: { code: 'bad_field', message: `\`${where}\`: expected an item.` } }
  const fields = new Fields(value, where)
  for (const key in value) if (isReservedKey(key)) fields.fail(key, 'names of the protocol')
  const item: SendItem = {
    cid: fields.id('cid'),
    type: fields.check('type', isType, 'a lower-case name of at most 32 characters', 'text'),
    content: fields.text('content', SEQ_MOST),
  }
  if (item.content === '') fields.fail('content', 'a string that is not empty')
  if (fields.has('ref')) item.ref = fields.check('ref', isRef, '[from, cid]', ['', ''])
  if (fields.has('meta')) item.meta = fields.json('meta')
  // The sender is whoever authenticated. A frame that claims one is a mistake that its author should hear of.
  if (fields.has('from')) fields.fail('from', 'no such field: the server sets it')
  if (fields.problem === undefined && contentSize(item.content, item.meta) > limits.content)
    fields.fail('content', `at most ${limits.content} bytes of JSON with \`meta\``, 'too_large')
  return fields.problem === undefined ? item : { cid: item.cid, problem: fields.problem }
}

export const isRef = (value: unknown): value is MessageRef =>
  Array.isArray(value) && value.length === 2 && isUserId(value[0]) && isId(value[1])

function readSync(fields: Fields): Sync {
  const sync: Sync = {
    t: 'sync',
    n: fields.integer('n', 0),
    conversation: fields.id('conversation'),
    limit: Math.min(fields.has('limit') ? fields.integer('limit', 1) : PROTOCOL_LIMITS.page, PROTOCOL_LIMITS.page),
  }
  if (fields.has('after') === fields.has('before')) fields.fail('after', 'exactly one of `after` and `before`')
  if (fields.has('after')) sync.after = fields.integer('after', 0, SEQ_MOST - 1)
  if (fields.has('before')) sync.before = fields.integer('before', 1)
  if (fields.has('tail')) sync.tail = fields.check('tail', readTail, 'at most 8 characters of an id', '')
  return sync
}

function readCursor(fields: Fields): Cursor {
  const cursor: Cursor = { t: 'cursor', conversation: fields.id('conversation') }
  if (fields.has('delivered')) cursor.delivered = fields.integer('delivered', 0)
  if (fields.has('read')) cursor.read = fields.integer('read', 0)
  if (fields.has('seen')) cursor.seen = fields.integer('seen', 0)
  if (!fields.has('delivered') && !fields.has('read') && !fields.has('seen'))
    fields.fail('delivered', '`delivered`, `read` or `seen`')
  return cursor
}

export function readSignal(fields: Fields): Signal {
  const kind = fields.get('kind')
  if (kind !== 'typing' && kind !== 'presence') fields.fail('kind', '"typing" or "presence"')
  return {
    t: 'signal',
    conversation: fields.id('conversation'),
    kind: kind === 'presence' ? 'presence' : 'typing',
    value: fields.boolean('value'),
  }
}
