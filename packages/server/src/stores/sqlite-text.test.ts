import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cidFromSql, cidToSql, fromSql, toSql } from './sqlite-text.js'

const key = (value: string | Uint8Array) => (typeof value === 'string' ? `text ${value}` : `blob ${value.join()}`)
const wellFormed = fc.string({ unit: 'binary' })
const cid = fc.oneof(
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc.uuid().map((id) => id.replaceAll('-', '')),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  wellFormed,
)

it('gives every well-formed string back', () => {
  fc.assert(fc.property(wellFormed, (text) => fromSql(toSql(text)) === text))
})

it('gives every cid back', () => {
  fc.assert(fc.property(cid, (id) => cidFromSql(cidToSql(id)) === id))
})

it('never makes the same value of two cids', () => {
  fc.assert(fc.property(cid, cid, (one, other) => (key(cidToSql(one)) === key(cidToSql(other))) === (one === other)))
  const bytes = cidToSql('41424344-4546-7748-894a-4b4c4d4e4f50')
  expect(bytes).toHaveLength(16)
  expect(cidToSql('ABCDEFGwH\u0089JKLMNOP')).not.toEqual(bytes)
  // As bytes it would be as long as a UUID.
  expect(cidToSql(`\u0000${'x'.repeat(15)}`).length).toBeGreaterThan(16)
})

it('refuses what is no string', () => {
  expect(() => fromSql(null)).toThrow('came NULL')
  expect(() => fromSql(1)).toThrow('came number')
})
