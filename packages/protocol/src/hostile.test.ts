import { describe, expect, it } from 'vitest'
import { decodeClientFrame } from './codec.js'
import { contentSize, isUserId, utf8Length } from './guards.js'

const send = (item: string) => `{"v":1,"t":"send","n":1,"conversation":"c","items":[${item}]}`
const item = (content: string) => JSON.stringify({ cid: 'a', type: 'text', content })

describe('hostile frames', () => {
  it('refuses 64 KB of opening brackets', () => {
    expect(decodeClientFrame('['.repeat(65_536))).toMatchObject({ ok: false, problem: { code: 'bad_frame' } })
  })

  it('ignores an unknown field nested 30,000 deep without recursion', () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000)
    expect(decodeClientFrame(`{"v":1,"t":"ping","n":1,"x":${deep}}`)).toEqual({ ok: true, frame: { t: 'ping', n: 1 } })
  })

  it('refuses such a nest in meta, in the item that has it', () => {
    const deep = '['.repeat(15_000) + ']'.repeat(15_000)
    const text = send(`{"cid":"a","type":"text","content":"x","meta":{"x":${deep}}}`)
    expect(decodeClientFrame(text)).toMatchObject({ ok: true, frame: { items: [], invalid: { code: 'bad_field' } } })
  })

  it('refuses 6,000 fields', () => {
    const fields = Array.from({ length: 6_000 }, (_, index) => `"f${index}":0`).join()
    expect(decodeClientFrame(`{"v":1,"t":"ping",${fields}}`)).toMatchObject({ problem: { code: 'bad_frame' } })
  })

  it('takes the last of two equal fields and stays strict about it', () => {
    expect(decodeClientFrame('{"v":1,"t":"welcome","t":"ping","n":1}')).toMatchObject({
      ok: true,
      frame: { t: 'ping' },
    })
    expect(decodeClientFrame('{"v":1,"t":"ping","t":7,"n":1}')).toMatchObject({ problem: { code: 'bad_frame' } })
  })

  it('takes exactly 16 KiB of four-byte emoji', () => {
    expect(decodeClientFrame(send(item('😀'.repeat(4_096))))).toMatchObject({ frame: { items: [{ cid: 'a' }] } })
    expect(decodeClientFrame(send(item(`${'😀'.repeat(4_096)}x`)))).toMatchObject({
      frame: { items: [], invalid: { code: 'too_large' } },
    })
  })

  it('names the frame in the problem, so that the answer can', () => {
    expect(decodeClientFrame('{"v":1,"t":"sync","n":9,"conversation":5,"after":1}')).toMatchObject({
      problem: { re: 9, type: 'sync', code: 'bad_field', message: expect.stringContaining('the number 5') },
    })
  })

  it('never repeats content in a message', () => {
    const decoded = decodeClientFrame('{"v":1,"t":"ping","n":"a secret"}')
    expect(JSON.stringify(decoded)).not.toContain('secret')
  })
})

describe('guards', () => {
  it('takes a user id of any characters but control characters', () => {
    for (const good of ['ann', 'a:b/c %', '__proto__', 'Zoë', '5d1327c65793f14020a979ca', '😀'])
      expect(isUserId(good)).toBe(true)
    for (const bad of ['', 'a\nb', 'a\u0000', '\ud800', 'x'.repeat(257), 5, null]) expect(isUserId(bad)).toBe(false)
  })

  it('counts bytes as an encoder does', () => {
    for (const text of ['', 'abc', 'é', '€', '😀', 'a😀é€', '\u0000'.repeat(3)])
      expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length)
  })

  it('counts content by its JSON', () => {
    expect(contentSize('x'.repeat(2_000), undefined)).toBe(2_000)
    expect(contentSize('\n'.repeat(2_000), undefined)).toBe(4_000)
    expect(contentSize('x'.repeat(2_000), { a: 1 })).toBe(2_007)
  })
})
