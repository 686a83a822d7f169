import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { isAllowedOrigin, normalizeOrigin, refuseHandshakeOrigin, refuseRequestOrigin } from './origin.js'
import type { Peer } from './proxy.js'

const peer = (host: string, secure?: boolean): Peer => ({ address: '127.0.0.1', host, secure })
const request = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage

describe('normalizeOrigin', () => {
  it.each([
    ['https://Example.com', 'https://example.com'],
    ['https://example.com:443', 'https://example.com'],
    ['http://example.com:80', 'http://example.com'],
    ['http://example.com:443', 'http://example.com:443'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['capacitor://localhost', 'capacitor://localhost'],
  ])('reads %s as %s', (origin, normal) => expect(normalizeOrigin(origin)).toBe(normal))

  it.each([
    'null',
    '',
    'example.com',
    'https://',
    'https://example.com/',
    'https://user@example.com',
    'https://example.com#x',
    'https://ex ample.com',
    'https://еxample.com',
    'https://a.com, https://b.com',
  ])('refuses %j', (origin) => expect(normalizeOrigin(origin)).toBeUndefined())
})

describe('isAllowedOrigin', () => {
  it.each([
    ['https://good.com', peer('good.com', true), true],
    ['https://good.com', peer('good.com:443', true), true],
    ['http://good.com', peer('good.com', true), false],
    ['https://good.com:8443', peer('good.com', true), false],
    ['https://evilgood.com', peer('good.com', true), false],
    ['https://good.com.evil.com', peer('good.com', true), false],
    ['https://g\u043e\u043ed.com', peer('good.com', true), false],
    ['null', peer('good.com', true), false],
    ['http://good.com', peer('good.com'), true],
    ['https://good.com', peer('good.com'), true],
    ['http://good.com:3000', peer('good.com:3000'), true],
    ['http://good.com', peer(''), false],
    ['http://good.com', peer('a b'), false],
  ])('without a list: %s on %j is %j', (origin, at, allowed) => {
    expect(isAllowedOrigin(origin, at, undefined)).toBe(allowed)
  })

  it('with a list: these and no other, not even the own host', () => {
    const allowed = new Set(['https://good.com'])
    expect(isAllowedOrigin('https://good.com', peer('api.com', true), allowed)).toBe(true)
    expect(isAllowedOrigin('http://good.com', peer('api.com'), allowed)).toBe(false)
    expect(isAllowedOrigin('https://api.com', peer('api.com', true), allowed)).toBe(false)
  })
})

describe('refusals', () => {
  it('lets a handshake without an origin pass only without cookies', () => {
    expect(refuseHandshakeOrigin(request({}), peer('a.com'), undefined)).toBeUndefined()
    expect(refuseHandshakeOrigin(request({ cookie: 'sid=1' }), peer('a.com'), undefined)).toBeDefined()
    const own = request({ cookie: 'sid=1', origin: 'http://a.com' })
    expect(refuseHandshakeOrigin(own, peer('a.com'), undefined)).toBeUndefined()
  })

  it('takes the word of a browser about a request', () => {
    expect(refuseRequestOrigin(request({}), peer('a.com'), undefined)).toBeUndefined()
    expect(refuseRequestOrigin(request({ 'sec-fetch-site': 'same-origin' }), peer('a.com'), undefined)).toBeUndefined()
    expect(refuseRequestOrigin(request({ 'sec-fetch-site': 'cross-site' }), peer('a.com'), undefined)).toBeDefined()
    expect(refuseRequestOrigin(request({ origin: 'http://b.com' }), peer('a.com'), undefined)).toBeDefined()
    expect(refuseRequestOrigin(request({ origin: 'http://a.com' }), peer('a.com'), undefined)).toBeUndefined()
  })
})
