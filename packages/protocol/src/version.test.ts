import { describe, expect, it } from 'vitest'
import { closeCode } from './close-codes.js'
import { isWireErrorCode, KithwireError, LOCAL_ERRORS, WIRE_ERRORS } from './errors.js'
import { decodeBearer, encodeBearer, negotiate, offer } from './version.js'

describe('negotiate', () => {
  it.each([
    [undefined, { kind: 'legacy' }],
    ['kithwire.v1', { kind: 'v1' }],
    ['chat, kithwire.v1', { kind: 'v1' }],
    [offer('tökên / +').join(', '), { kind: 'v1', token: 'tökên / +' }],
    ['chat', { kind: 'unsupported', supported: ['kithwire.v1'] }],
    ['kithwire.v2', { kind: 'unsupported' }],
    ['', { kind: 'malformed' }],
    ['a b', { kind: 'malformed' }],
    ['kithwire.v1, kithwire.v1', { kind: 'malformed' }],
    ['kithwire.v1, kithwire.bearer.', { kind: 'malformed' }],
    ['kithwire.v1, kithwire.bearer._w', { kind: 'malformed' }],
    [Array.from({ length: 10_000 }, (_, index) => `p${index}`).join(), { kind: 'malformed' }],
  ])('%s', (header, expected) => {
    expect(negotiate(header)).toMatchObject(expected)
  })

  it('carries a token through a subprotocol', () => {
    for (const token of ['a', 'ey.J0.x', '€'.repeat(50)]) expect(decodeBearer(encodeBearer(token))).toBe(token)
  })
})

describe('codes', () => {
  it('reads an unknown close code by its range', () => {
    expect(closeCode(4321).reconnect).toBe(true)
    expect(closeCode(4777).reconnect).toBe(false)
    expect(closeCode(3000).reconnect).toBe(true)
    expect(closeCode(4501)).toMatchObject({ name: 'unauthorized', reconnect: false })
  })

  it('gives every error its message and whether to retry', () => {
    for (const [code, entry] of Object.entries({ ...WIRE_ERRORS, ...LOCAL_ERRORS })) {
      const error = new KithwireError(code as keyof typeof WIRE_ERRORS)
      expect(error).toMatchObject({ name: 'KithwireError', code, ...entry })
    }
    const cause = new Error('x')
    expect(new KithwireError('internal', 'm', { cause })).toMatchObject({ cause, message: 'm', retry: true })
    expect(isWireErrorCode('toString')).toBe(false)
    expect(isWireErrorCode('busy')).toBe(true)
  })
})
