import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeClientFrame, decodeServerFrame, encode } from './codec.js'
import type { ClientFrame, ServerFrame } from './envelope.js'
import { decodeLegacy, encodeLegacy } from './legacy.js'
import type { IMessage } from './message.js'
import { RUNS, RUNS_TIMEOUT } from './testing/runs.js'

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const tail = fc.stringMatching(/^[A-Za-z0-9_-]{0,8}$/)
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 })
const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 })
const user = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((text) => text.length <= 256 && !/[\u0000-\u001f\u007f-\u009f]/.test(text))
const content = fc.string({ unit: 'binary', minLength: 1, maxLength: 500 }).filter((text) => !/\p{Cs}/u.test(text))
const meta = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(count, fc.boolean(), content, fc.constant(null)))
const item = fc.record(
  { cid: id, type: fc.constantFrom('text', 'emoji', 'file'), content, ref: fc.tuple(user, id), meta },
  { requiredKeys: ['cid', 'type', 'content'] },
)
const message: fc.Arbitrary<IMessage> = fc.record(
  {
    ...{ id, conversation: id, seq, from: user, to: user, createdAt: count, cid: id, ref: fc.tuple(user, id), meta },
    type: fc.constantFrom('text', 'emoji', 'file', 'reaction'),
    content: fc.oneof(content, fc.constant('')),
  },
  { requiredKeys: ['id', 'conversation', 'seq', 'from', 'type', 'content', 'createdAt', 'cid'] },
)

const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record({
    t: fc.constant('hello' as const),
    device: fc.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    attempt: count,
    cursors: fc.array(fc.tuple(id, count, tail), { maxLength: 20 }),
  }),
  fc.record({
    t: fc.constant('send' as const),
    n: count,
    conversation: id,
    items: fc.array(item, { minLength: 1, maxLength: 32 }),
  }),
  fc.record({ t: fc.constant('sync' as const), n: count, conversation: id, after: count, limit: fc.constant(200) }),
  fc.record({ t: fc.constant('sync' as const), n: count, conversation: id, before: seq, limit: fc.constant(1) }),
  fc.record({ t: fc.constant('cursor' as const), conversation: id, delivered: count, read: count }),
  fc.record({
    t: fc.constant('signal' as const),
    conversation: id,
    kind: fc.constantFrom('typing', 'presence'),
    value: fc.boolean(),
  }),
  fc.record({ t: fc.constant('ping' as const), n: count }),
  fc.record({ t: fc.constant('auth' as const), n: count, token: content }),
)

const head = fc.tuple(
  ...([id, count, count, count, count, count] as const),
  fc.array(fc.tuple(user, count, count), { maxLength: 3 }),
  tail,
)
const refused = fc.record(
  { code: fc.constantFrom('busy', 'not_found', 'rate_limited'), retry: fc.boolean(), after: count },
  { requiredKeys: ['code', 'retry'] },
)
const ackItem = fc.record(
  { cid: id, seq, id, at: count, duplicate: fc.constant(true) },
  { requiredKeys: ['cid', 'seq', 'id', 'at'] },
)
const limits = fc.record({ frame: seq, content: seq, rate: seq, burst: seq, inflight: seq })

const serverFrame: fc.Arbitrary<ServerFrame> = fc.oneof(
  fc.record({ t: fc.constant('messages' as const), conversation: id, items: fc.array(message, { maxLength: 20 }) }),
  fc.record({ t: fc.constant('behind' as const), heads: fc.array(head, { maxLength: 10 }) }),
  fc.record(
    {
      ...{ t: fc.constant('welcome' as const), session: id, user, epoch: id, now: count, heartbeat: seq, limits },
      ...{ heads: fc.array(head, { maxLength: 5 }), capabilities: fc.array(id, { maxLength: 5 }) },
      ...{ more: fc.boolean(), since: fc.tuple(count, tail) },
    },
    { requiredKeys: ['t', 'session', 'user', 'epoch', 'now', 'heartbeat', 'limits', 'heads', 'capabilities'] },
  ),
  fc.record(
    {
      ...{ t: fc.constant('ack' as const), re: count, conversation: id, items: fc.array(ackItem, { maxLength: 32 }) },
      refused: fc.tuple(id, refused).map(([cid, rest]) => ({ cid, ...rest })),
    },
    { requiredKeys: ['t', 're', 'conversation', 'items'] },
  ),
  fc.record(
    {
      ...{ t: fc.constant('page' as const), re: count, conversation: id, items: fc.array(message, { maxLength: 5 }) },
      ...{ head: count, first: count, more: fc.boolean(), refused, reset: fc.record({ to: count, id }) },
    },
    { requiredKeys: ['t', 'conversation'] },
  ),
  fc.record(
    {
      ...{ t: fc.constant('cursor' as const), conversation: id, user, delivered: count, read: count },
      ...{ seen: count, unread: count, head: count },
    },
    { requiredKeys: ['t', 'conversation', 'user'] },
  ),
  fc.record({
    ...{ t: fc.constant('signal' as const), conversation: id, user, value: fc.boolean() },
    kind: fc.constantFrom('typing', 'presence'),
  }),
  fc.record({
    ...{ t: fc.constant('error' as const), re: count, fatal: fc.boolean(), message: content },
    code: fc.constantFrom('busy', 'internal', 'bad_field'),
  }),
  fc.record({ t: fc.constant('heartbeat' as const), now: count }),
  fc.record({ t: fc.constant('pong' as const), re: count }),
  fc.record({ t: fc.constant('auth' as const), re: count, expires: count }),
  fc.record({ t: fc.constant('drain' as const), spread: count }),
)

/** A valid frame with one character changed, doubled or taken out. */
const mutated = fc
  .tuple(fc.oneof(clientFrame, serverFrame), fc.nat(), fc.string({ unit: 'binary', maxLength: 3 }))
  .map(([frame, at, text]) => {
    const encoded = encode(frame)
    const index = at % encoded.length
    return encoded.slice(0, index) + text + encoded.slice(index + 1)
  })

describe('codec, for every input', { timeout: RUNS_TIMEOUT }, () => {
  it('reads back what it wrote, as a server', () => {
    fc.assert(
      fc.property(clientFrame, (frame) => {
        const limits = { content: 1_000_000 }
        expect(decodeClientFrame(encode(frame), limits)).toEqual({ ok: true, frame })
      }),
      RUNS,
    )
  })

  it('reads back what it wrote, as a client', () => {
    fc.assert(
      fc.property(serverFrame, (frame) => {
        expect(decodeServerFrame(encode(frame))).toEqual({ ok: true, frame })
      }),
      RUNS,
    )
  })

  it.each([
    ['any text', fc.string({ unit: 'binary', maxLength: 200 })],
    ['any JSON', fc.json()],
    ['a frame that was damaged', mutated],
  ] as const)('never throws: %s', (_name, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const decode of [decodeClientFrame, decodeServerFrame]) {
          const decoded = decode(text)
          if (!decoded.ok) expect(decoded.problem.message).not.toBe('')
          // What was read can be written: nothing of it is too deep or not well-formed.
          else expect(() => encode(decoded.frame as ServerFrame)).not.toThrow()
        }
        decodeLegacy(text)
      }),
      RUNS,
    )
  })

  it('never gives a legacy client anything but a bare message', () => {
    fc.assert(
      fc.property(message, user, (entry, reader) => {
        const text = encodeLegacy(entry, reader)
        const keys = ['_id', 'friend', 'from', 'to', 'content', 'type', 'createdAt', 'seq']
        if (entry.type === 'reaction') expect(text).toBeUndefined()
        else expect(Object.keys(JSON.parse(text ?? ''))).toEqual(keys)
      }),
      RUNS,
    )
  })
})
