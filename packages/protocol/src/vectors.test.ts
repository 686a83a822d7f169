import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeClientFrame, decodeServerFrame, encode } from './codec.js'
import { decodeLegacy } from './legacy.js'

interface Vector {
  name: string
  text: string
  code: string
}

const load = (name: string): Vector[] =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'))

describe.each([
  ['client-valid', decodeClientFrame],
  ['server-valid', decodeServerFrame],
] as const)('%s', (file, decode) => {
  it.each(load(file))('$name', ({ text }) => {
    const decoded = decode(text)
    expect(decoded).toMatchObject({ ok: true })
    if (decoded.ok) expect(JSON.parse(encode(decoded.frame))).toEqual(JSON.parse(text))
  })
})

describe.each([
  ['client-invalid', decodeClientFrame],
  ['server-invalid', decodeServerFrame],
] as const)('%s', (file, decode) => {
  it.each(load(file))('$name', ({ text, code }) => {
    expect(decode(text)).toMatchObject({ ok: false, problem: { code } })
    expect((Object.prototype as { admin?: unknown }).admin).toBeUndefined()
  })
})

describe('client-invalid-items', () => {
  it.each(load('client-invalid-items'))('$name', ({ text, code }) => {
    expect(decodeClientFrame(text)).toMatchObject({
      ok: true,
      frame: { items: [{ cid: 'good' }], invalid: { code } },
    })
  })
})

describe('legacy', () => {
  it.each(load('legacy-valid'))('$name', ({ text }) => {
    const sent = JSON.parse(text)
    expect(decodeLegacy(text)).toEqual({
      ok: true,
      message: { friend: sent.friend, to: sent.to, content: sent.content, type: sent.type ?? 'text' },
    })
  })

  it.each(load('legacy-invalid'))('refuses: $name', ({ text }) => {
    expect(decodeLegacy(text)).toMatchObject({ ok: false })
  })
})
