import type { SeededRandom } from '@kithwire/protocol/testing'
import type { Json } from './values.js'
import * as value from './values.js'

/** One field of a frame: what it may be, and what it may not. */
interface Field {
  make(random: SeededRandom): Json
  wrong: readonly Json[]
  optional?: true
  /** Another field can stand in for it. */
  either?: true
  /** For a list: what each of its objects is, so that one of them can be broken. */
  of?: Shape
}

type Shape = Readonly<Record<string, Field>>

const ID: Field = { make: value.id, wrong: value.NOT_AN_ID }
const CONVERSATION: Field = { make: (random) => random.pick(['c1', 'c2', value.id(random)]), wrong: value.NOT_AN_ID }
const DEVICE: Field = { make: (random) => value.id(random, 22), wrong: [...value.NOT_AN_ID, 'short', 'd'.repeat(23)] }
const USER: Field = { make: value.user, wrong: value.NOT_A_USER }
const COUNT: Field = { make: value.count, wrong: value.NOT_AN_INTEGER }
const N: Field = { make: (random) => random.integer(1, 40), wrong: value.NOT_AN_INTEGER }
const SEQ: Field = { make: value.seq, wrong: [...value.NOT_AN_INTEGER, 0] }
const FLAG: Field = { make: (random) => random.chance(0.5), wrong: value.NOT_A_BOOLEAN }
const TAIL: Field = { make: value.tail, wrong: [...value.NOT_A_STRING, 'x'.repeat(9), 'a b'] }
const TYPE: Field = {
  make: (random) => random.pick(['text', 'text', 'text', 'emoji', 'file', 'reaction', 'x.y-z_1']),
  wrong: [...value.NOT_A_STRING, '', 'Text', '1a', 'x'.repeat(33), 'a b'],
}
const CONTENT: Field = {
  make: (random) => (random.chance(0.1) ? '/uploads/a.png' : value.text(random)),
  wrong: value.NOT_CONTENT,
}
const REF: Field = {
  make: (random) => [value.user(random), value.id(random)],
  wrong: [...value.NOT_AN_ARRAY, [], ['ann'], ['ann', 'a b'], ['', 'a'], ['ann', 'a', 'b'], [[], []]],
}
const META: Field = {
  make: (random) => random.pick([{}, { a: 1 }, { a: [1, [2]], b: null }, { a: { b: { c: 'x' } } }]),
  wrong: [...value.NOT_META, value.PROTO],
}
const POSITION: Field = {
  make: (random) => [value.count(random), value.tail(random)],
  wrong: [...value.NOT_AN_ARRAY, [], [1], [1, 2], [-1, ''], [1, 'x'.repeat(9)], [1, '', '']],
}

const optional = (field: Field): Field => ({ ...field, optional: true })

function list(random: SeededRandom, least: number, most: number, make: (random: SeededRandom) => Json): Json[] {
  return Array.from({ length: random.chance(0.05) ? most : random.integer(least, Math.min(most, 4)) }, () =>
    make(random),
  )
}

/** The name of a field that no frame has. */
export const UNKNOWN = 'colour'

const object = (random: SeededRandom, shape: Shape): Record<string, Json> => {
  const made: Record<string, Json> = {}
  for (const [name, field] of Object.entries(shape))
    if (!field.optional || random.chance(0.4)) made[name] = field.make(random)
  // What is not known is ignored, wherever it stands.
  if (random.chance(0.2)) made[UNKNOWN] = random.pick([1, 'red', [], { deep: [[[[[1]]]]] }])
  return made
}

const ITEM: Shape = { cid: ID, type: TYPE, content: CONTENT, ref: optional(REF), meta: optional(META) }
const MESSAGE: Shape = {
  ...{ id: ID, conversation: CONVERSATION, seq: SEQ, from: USER, to: optional(USER), type: TYPE },
  ...{ content: { ...CONTENT, wrong: value.NOT_A_STRING }, createdAt: COUNT, cid: ID },
  ...{ ref: optional(REF), meta: optional(META) },
}
const ACK_ITEM: Shape = { cid: ID, seq: SEQ, id: ID, at: COUNT, duplicate: optional({ make: () => true, wrong: [] }) }

/** A list of objects: wrong if it is none, too long, or if one of them is. */
const listOf = (shape: Shape, least: number, most: number): Field => ({
  make: (random) => list(random, least, most, (inner) => object(inner, shape)),
  wrong: [...value.NOT_AN_ARRAY, new Array(most + 1).fill(null), [null], [[]], [{}], ['a']],
  of: shape,
})

const CURSORS: Field = {
  make: (random) => list(random, 0, 50, () => [CONVERSATION.make(random), value.count(random), value.tail(random)]),
  wrong: [...value.NOT_AN_ARRAY, [null], [[]], [['c', 1]], [['c', -1, '']], [['a b', 1, '']], [['c', 1, 5]]],
}
const HEADS: Field = {
  make: (random) =>
    list(random, 0, 20, () => [
      ...[CONVERSATION.make(random), value.count(random), value.count(random), value.count(random)],
      ...[value.count(random), value.count(random)],
      ...[list(random, 0, 3, () => [value.user(random), value.count(random), value.count(random)]), value.tail(random)],
    ]),
  wrong: [...value.NOT_AN_ARRAY, [null], [[]], [['c', 1, 1, 0, 0, 0, []]], [['c', 1, 1, 0, 0, 0, [null], '']]],
}
const NAMES: Field = {
  make: (random) => list(random, 0, 8, value.id),
  wrong: [...value.NOT_AN_ARRAY, [1], ['a b'], [null]],
}
const LIMITS: Field = {
  make: () => ({ frame: 65_536, content: 16_384, rate: 10, burst: 40, inflight: 64, [UNKNOWN]: 1 }),
  wrong: [...value.NOT_AN_ARRAY, { frame: 0, content: 1, rate: 1, burst: 1, inflight: 1 }, { frame: '1' }],
}
const REFUSED: Field = {
  make: (random) => ({
    cid: value.id(random),
    code: random.pick(['busy', 'rate_limited', 'not_found', 'cid_conflict', 'of_a_newer_server', 'toString']),
    retry: random.chance(0.5),
    ...(random.chance(0.5) && { after: random.integer(0, 100) }),
    ...(random.chance(0.2) && { [UNKNOWN]: 1 }),
  }),
  wrong: [...value.NOT_AN_ARRAY, {}, { cid: 'c', code: 'busy' }, { cid: 'c', code: 'busy', retry: true, after: -1 }],
}
const RESET: Field = {
  make: (random) => ({ to: value.count(random), id: random.pick(['', value.id(random)]), [UNKNOWN]: 1 }),
  wrong: [...value.NOT_AN_ARRAY, {}, { to: -1, id: '' }, { to: 1 }, { to: 1, id: 'a b' }],
}

export const CLIENT_SHAPES: Readonly<Record<string, Shape>> = {
  hello: {
    ...{ device: DEVICE, attempt: COUNT, cursors: optional(CURSORS), more: optional(FLAG), since: optional(POSITION) },
    ...{ epoch: optional(ID), capabilities: optional(NAMES) },
  },
  send: { n: N, conversation: CONVERSATION, items: listOf(ITEM, 1, 32) },
  sync: { n: N, conversation: CONVERSATION, after: COUNT, tail: optional(TAIL), limit: optional(SEQ) },
  cursor: { conversation: CONVERSATION, delivered: { ...COUNT, either: true }, read: optional(COUNT) },
  signal: {
    conversation: CONVERSATION,
    kind: { make: (random) => random.pick(['typing', 'presence']), wrong: [...value.NOT_A_STRING, '', 'dance'] },
    value: FLAG,
  },
  ping: { n: N },
  auth: { n: N, token: { make: value.id, wrong: [...value.NOT_A_STRING, 'x'.repeat(4_097), '\ud800'] } },
}

const { hello: _hello, ...rest } = CLIENT_SHAPES
/** A second hello ends a session. */
export const AFTER_HELLO = rest

export const SERVER_SHAPES: Readonly<Record<string, Shape>> = {
  welcome: {
    ...{ session: ID, user: USER, epoch: ID, now: COUNT, heartbeat: SEQ, limits: LIMITS, heads: HEADS },
    ...{ capabilities: NAMES, more: optional(FLAG), since: optional(POSITION) },
  },
  ack: { re: N, conversation: CONVERSATION, items: listOf(ACK_ITEM, 0, 32), refused: optional(REFUSED) },
  messages: { conversation: CONVERSATION, items: listOf(MESSAGE, 0, 20) },
  page: {
    ...{ re: optional(N), conversation: CONVERSATION, items: optional(listOf(MESSAGE, 0, 200)), head: optional(COUNT) },
    ...{ first: optional(COUNT), more: optional(FLAG), reset: optional(RESET), refused: optional(REFUSED) },
  },
  cursor: {
    ...{ conversation: CONVERSATION, user: { ...USER, either: true } },
    ...{ delivered: optional(COUNT), read: optional(COUNT) },
  },
  signal: { ...CLIENT_SHAPES.signal, user: USER },
  behind: { heads: HEADS },
  heartbeat: { now: COUNT },
  pong: { re: N },
  auth: { re: N, expires: optional(COUNT) },
  drain: { spread: COUNT },
  error: {
    ...{ re: optional(N), code: { make: () => 'busy', wrong: [] }, fatal: FLAG },
    message: { make: value.id, wrong: [...value.NOT_A_STRING, 'x'.repeat(1_025)] },
  },
}

export interface Envelope {
  text: string
  /** What a reader of this side must say of it. */
  valid: boolean
}

/** A frame by the grammar of one side; `broken` of them have exactly one wrong or missing field. */
export function envelope(random: SeededRandom, shapes: Readonly<Record<string, Shape>>, broken: number): Envelope {
  const type = random.pick(Object.keys(shapes))
  const shape = shapes[type]!
  const frame: Record<string, Json> = { v: 1, t: type, ...object(random, shape) }
  const fields = Object.entries(shape).filter(([, field]) => field.wrong.length > 0)
  if (fields.length === 0 || !random.chance(broken)) return { text: JSON.stringify(frame), valid: true }
  const [name, field] = random.pick(fields)
  if (field.of && random.chance(0.7)) {
    const list = [...(field.make(random) as Json[]).slice(0, 3), object(random, field.of)] as Record<string, Json>[]
    const inner = Object.entries(field.of).filter(([, { wrong }]) => wrong.length > 0)
    spoil(random, random.pick(list), random.pick(inner))
    frame[name] = list
  } else spoil(random, frame, [name, field])
  return { text: JSON.stringify(frame), valid: false }
}

/** Takes a field away, or gives it a value that it may not have. */
function spoil(random: SeededRandom, object: Record<string, Json>, [name, field]: [string, Field]): void {
  if (!field.optional && !field.either && random.chance(0.2)) delete object[name]
  else object[name] = random.pick(field.wrong)
}

/** A bare frame as old clients send it, half of them with something wrong. */
export function bare(random: SeededRandom): string {
  const frame: Record<string, Json> = {
    ...{
      friend: CONVERSATION.make(random),
      from: value.user(random),
      to: random.pick(['ann', 'ben', value.user(random)]),
    },
    ...{ content: value.text(random), type: random.pick(['text', 'emoji', 'file', undefined, 'x']) },
  }
  if (random.chance(0.5)) frame[random.pick(Object.keys(frame))] = random.pick(value.NOT_AN_ID)
  return JSON.stringify(frame)
}
