import { type Ack, encode, type IMessage, type ServerFrame } from '@kithwire/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ackText, frameText, jsonLength, messagesText } from './frame-text.js'

const RUNS = { numRuns: 1_000 }

// A store of the app's own may give any ids, and a user's name and what is written may be anything well-formed.
const text = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\u0000', '\u001f', '\u007f', '\u2028', '\ud800', 'é', '😀', '/', ' '),
  }),
)
const number = fc.maxSafeNat()
/** Without the fields that are undefined, as the server makes them. */
const some = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const ack = fc
  .record({
    re: number,
    conversation: text,
    items: fc.array(
      fc
        .record({ cid: text, seq: number, id: text, at: number, duplicate: maybe(fc.boolean()) })
        .map(({ cid, seq, id, at, duplicate }) => some({ cid, seq, id, at, duplicate })),
    ),
    refused: maybe(fc.record({ cid: text, code: fc.constant('busy'), retry: fc.boolean(), after: number })),
  })
  .map(({ re, conversation, items, refused }) => some({ t: 'ack', re, conversation, items, refused }) as Ack)

const message = fc
  .record({
    id: text,
    conversation: text,
    seq: number,
    from: text,
    to: maybe(text),
    createdAt: number,
    cid: text,
    type: text,
    content: text,
    ref: maybe(fc.tuple(text, text)),
    meta: maybe(fc.dictionary(text, fc.jsonValue())),
  })
  .map(
    ({ id, conversation, seq, from, to, createdAt, cid, type, content, ref, meta }): IMessage =>
      some({ id, conversation, seq, from, to, createdAt, cid, type, content, ref, meta }) as IMessage,
  )

it('writes an ack byte for byte as the codec does', () => {
  fc.assert(
    fc.property(ack, (frame) => {
      expect(ackText(frame)).toBe(encode(frame))
    }),
    RUNS,
  )
})

it('writes messages byte for byte as the codec does', () => {
  fc.assert(
    fc.property(text, fc.array(message, { maxLength: 4 }), (conversation, items) => {
      expect(messagesText(conversation, items)).toBe(encode({ t: 'messages', conversation, items }))
    }),
    RUNS,
  )
})

const page = fc
  .record({
    re: maybe(number),
    conversation: text,
    items: maybe(fc.array(message)),
    head: number,
    first: number,
    tail: maybe(text),
    more: fc.boolean(),
  })
  .map(({ re, conversation, items, head, first, tail, more }) =>
    some({ t: 'page', re, conversation, items, head, first, tail, more }),
  )

it('writes a page byte for byte as the codec does', () => {
  fc.assert(
    fc.property(page, (frame) => {
      expect(frameText(frame as ServerFrame)).toBe(encode(frame as ServerFrame))
    }),
    RUNS,
  )
})

it('knows how long a string is as JSON', () => {
  fc.assert(
    fc.property(text, (content) => {
      expect(jsonLength(content)).toBe(Buffer.byteLength(JSON.stringify(content)) - 2)
    }),
    RUNS,
  )
})
