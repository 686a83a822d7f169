import { expect, it } from 'vitest'
import { type Content, canonical, fingerprint, sameContent } from './fingerprint.js'

const base: Content = { type: 'text', content: 'a' }

it('tells contents apart that only look alike', () => {
  const contents: Content[] = [
    base,
    { type: 'texta', content: '' },
    { ...base, ref: ['a', 'b'] },
    { ...base, ref: ['ab', ''] },
    { ...base, meta: {} },
    { ...base, meta: { a: [1, 2] } },
    { ...base, meta: { a: [2, 1] } },
    { ...base, meta: { a: { 0: 1, 1: 2 } } },
    { ...base, meta: { a: '[1,2]' } },
    { ...base, meta: JSON.parse('{"__proto__":1}') },
    { ...base, meta: { ref: ['a', 'b'] } },
  ]
  const secret = new Uint8Array(32)
  expect(new Set(contents.map(canonical)).size).toBe(contents.length)
  expect(new Set(contents.map((content) => fingerprint(secret, content).toString('hex'))).size).toBe(contents.length)
  for (const one of contents) for (const other of contents) expect(sameContent(one, other)).toBe(one === other)
})

it('takes keys in another order, at any depth, for the same', () => {
  const one = { ...base, meta: { a: 1, b: [{ c: 2, d: 3 }] } }
  const other = { ...base, meta: { b: [{ d: 3, c: 2 }], a: 1 } }
  expect(sameContent(one, other)).toBe(true)
})

it('depends on the secret', () => {
  expect(fingerprint(new Uint8Array(32), base)).not.toEqual(fingerprint(new Uint8Array(32).fill(1), base))
})
