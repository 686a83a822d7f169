import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeClientFrame, encode } from './codec.js'
import type { Send } from './envelope.js'
import { readPlainSend } from './plain-send.js'
import { RUNS, RUNS_TIMEOUT } from './testing/runs.js'

const limits = { content: 4_096 }
const item = { cid: '0190b2a0-0000-7000-8000-000000000001', type: 'text', content: 'hello, world' }
const send: Send = { t: 'send', n: 7, conversation: 'ann_ben', items: [item, { ...item, cid: 'two' }] }
const { n, ...rest } = send

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const sends = fc.record({
  t: fc.constant('send' as const),
  conversation: id,
  items: fc.array(
    fc.record({
      cid: id,
      type: fc.constantFrom('text', 'emoji', 'x.y-z_1'),
      content: fc.oneof(fc.string({ minLength: 1, maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 20 })),
    }),
    { minLength: 1, maxLength: 34 },
  ),
  n: fc.oneof(fc.nat(), fc.maxSafeInteger()),
})

/** What every frame goes through that does not begin like a plain one. */
const slowly = (text: string) => decodeClientFrame(` ${text}`, limits)

describe('a plain send', { timeout: RUNS_TIMEOUT }, () => {
  it.each([
    ['with its number last, as the client writes it', encode({ ...rest, n } as Send)],
    ['with its number first', encode(send)],
  ])('is read %s', (_name, text) => {
    expect(readPlainSend(text, limits)).toEqual(send)
  })

  it.each([
    ['no number', encode(rest as Send)],
    ['two numbers', encode(send).replace(/\}$/, ',"n":8}')],
    ['a number with a zero in front', encode(send).replace('"n":7', '"n":07')],
    ['no items', encode({ ...send, items: [] })],
    ['33 items', encode({ ...send, items: Array(33).fill(item) })],
    ['an escape', encode({ ...send, items: [{ ...item, content: 'a\nb' }] })],
    ['more than ASCII', encode({ ...send, items: [{ ...item, content: 'grüß dich' }] })],
    ['content that may be too long', encode({ ...send, items: [{ ...item, content: 'x'.repeat(700) }] })],
    ['empty content', encode({ ...send, items: [{ ...item, content: '' }] })],
    ['a comma with nothing behind it', encode(send).replace(']', ',]')],
    ['a reference', encode({ ...send, items: [{ ...item, ref: ['ben', 'x'] }] })],
    ['text behind the end', `${encode(send)}\n`],
    ['another version', encode(send).replace('"v":1', '"v":2')],
    ['another type', encode({ t: 'ping', n: 1 })],
  ])('is left to the reader of all frames: %s', (_name, text) => {
    expect(readPlainSend(text, limits)).toBeUndefined()
  })

  it('is read as the reader of all frames would, whole or damaged', () => {
    let plain = 0
    fc.assert(
      fc.property(sends, fc.boolean(), fc.nat(), fc.string({ maxLength: 2 }), (frame, first, at, text) => {
        const { n, t, ...others } = frame
        const whole = encode(first ? { t, n, ...others } : frame)
        const index = at % whole.length
        const damaged = whole.slice(0, index) + text + whole.slice(index + 1)
        for (const each of [whole, damaged]) {
          if (readPlainSend(each, limits)) plain++
          expect(decodeClientFrame(each, limits)).toEqual(slowly(each))
        }
      }),
      RUNS,
    )
    expect(plain).toBeGreaterThan(0)
  })
})
