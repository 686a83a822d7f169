import { describe, expect, it } from 'vitest'
import { decodeClientFrame, decodeServerFrame, encode } from './codec.js'
import type { ClientFrame } from './envelope.js'

const frames: ClientFrame[] = [
  { t: 'hello', device: 'd'.repeat(22), attempt: 1, cursors: [['c1', 3, 'abcdefgh']], more: true, epoch: 'e1' },
  { t: 'send', n: 1, conversation: 'c1', items: [{ cid: 'x', type: 'text', content: 'hi', meta: { a: [1] } }] },
  { t: 'sync', n: 2, conversation: 'c1', after: 0, limit: 200 },
  { t: 'cursor', conversation: 'c1', delivered: 3, read: 2 },
  { t: 'signal', conversation: 'c1', kind: 'typing', value: true },
  { t: 'ping', n: 3 },
  { t: 'auth', n: 4, token: 'abc' },
]

describe('codec', () => {
  it.each(frames)('reads back a client frame of type $t', (frame) => {
    expect(decodeClientFrame(encode(frame))).toEqual({ ok: true, frame })
  })

  it.each([
    ['', 'bad_frame'],
    ['[]', 'bad_frame'],
    ['null', 'bad_frame'],
    ['{"v":1}', 'bad_frame'],
    ['{"v":2,"t":"ping","n":1}', 'bad_frame'],
    ['{"v":1,"t":"nope"}', 'unknown_type'],
    ['{"v":1,"t":"welcome"}', 'unknown_type'],
    ['{"v":1,"t":"ping","n":1,"__proto__":{"admin":true}}', 'bad_field'],
    ['{"v":1,"t":"ping","n":-0}', 'bad_field'],
    ['{"v":1,"t":"ping","n":1e309}', 'bad_field'],
    ['{"v":1,"t":"ping","n":9007199254740992}', 'bad_field'],
  ])('answers %s with %s', (text, code) => {
    expect(decodeClientFrame(text)).toMatchObject({ ok: false, problem: { code } })
  })

  it('keeps the valid items before a wrong one', () => {
    const text =
      '{"v":1,"t":"send","n":7,"conversation":"c","items":[{"cid":"a","type":"text","content":"x"},{"cid":"b","type":"text","content":5}]}'
    const decoded = decodeClientFrame(text)
    expect(decoded).toMatchObject({
      ok: true,
      frame: { items: [{ cid: 'a' }], invalid: { cid: 'b', code: 'bad_field' } },
    })
  })

  it.each([-1, -0, 0.5, 2 ** 53, '1'])('names no question that an answer could not name: n = %s', (n) => {
    const text = `{"v":1,"t":"ping","n":${Object.is(n, -0) ? '-0' : JSON.stringify(n)}}`
    const decoded = decodeClientFrame(text)
    expect(decoded).toMatchObject({ ok: false, problem: { code: 'bad_field' } })
    expect(decoded).not.toHaveProperty('problem.re')
  })

  it.each(['ack', 'page'])('reads a code of a newer server in %s as internal, and copies no field that is new', (t) => {
    const refused = '{"cid":"a","code":"of_tomorrow","retry":false,"after":5,"colour":"red"}'
    const decoded = decodeServerFrame(`{"v":1,"t":"${t}","re":1,"conversation":"c","items":[],"refused":${refused}}`)
    const cid = t === 'ack' ? { cid: 'a' } : {}
    const known = { ...cid, code: 'internal', retry: false, after: 5 }
    expect(decoded).toEqual({ ok: true, frame: { t, re: 1, conversation: 'c', items: [], refused: known } })
  })

  it('ignores unknown fields of a server frame', () => {
    expect(decodeServerFrame('{"v":1,"t":"pong","re":3,"new":true}')).toEqual({ ok: true, frame: { t: 'pong', re: 3 } })
  })
})
