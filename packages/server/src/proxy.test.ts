import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { addressKey, isForwarded, peerOf } from './proxy.js'

const request = (headers: Record<string, string>, socket: object = { remoteAddress: '::ffff:10.0.0.9' }) =>
  ({ headers, socket }) as unknown as IncomingMessage

describe('peerOf', () => {
  const headers = {
    host: 'inner:8080',
    'x-forwarded-for': '6.6.6.6, 1.2.3.4, 10.0.0.8',
    'x-forwarded-host': 'example.com',
    'x-forwarded-proto': 'https',
  }

  it('believes no header without trust', () => {
    expect(peerOf(request(headers), 0)).toEqual({ address: '10.0.0.9', host: 'inner:8080', secure: undefined })
    expect(isForwarded(request(headers))).toBe(true)
    expect(isForwarded(request({ host: 'a' }))).toBe(false)
  })

  it('reads as many places from the right as proxies are trusted', () => {
    expect(peerOf(request(headers), 1)).toEqual({ address: '10.0.0.8', host: 'example.com', secure: true })
    expect(peerOf(request(headers), 2).address).toBe('1.2.3.4')
    expect(peerOf(request(headers), 9).address).toBe('6.6.6.6')
    expect(peerOf(request({ host: 'a' }), 1)).toEqual({ address: '10.0.0.9', host: 'a', secure: undefined })
  })

  it('knows an encrypted connection, and one that ends unencrypted at the trusted proxy', () => {
    expect(peerOf(request({ host: 'a' }, { encrypted: true, remoteAddress: '::1' }), 0).secure).toBe(true)
    expect(peerOf(request({ host: 'a', 'x-forwarded-proto': 'http' }), 1).secure).toBe(false)
  })
})

describe('addressKey', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::', 'fe80:0:0:0::/64'],
  ])('%s is %s', (address, key) => expect(addressKey(address)).toBe(key))
})
