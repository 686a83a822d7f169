import { describe, expect, it } from 'vitest'
import { serveChat } from '../integration/serve.js'
import { controlPair, handshake, peer, raw, status } from '../integration/sockets.js'

const cookie = { Cookie: 'user=ann', Host: 'good.com', 'Sec-WebSocket-Protocol': 'kithwire.v1' }
const secure = { trustProxy: true, origins: ['https://good.com'] }

const origins: [name: string, headers: Record<string, string | string[]>, expected: number][] = [
  ['O1 foreign', { Origin: 'https://evil.com' }, 403],
  ['O2 null', { Origin: 'null' }, 403],
  ['O4 ends on ours', { Origin: 'https://evilgood.com' }, 403],
  ['O4 begins with ours', { Origin: 'https://good.com.evil.com' }, 403],
  ['O4 ours as a path', { Origin: 'https://evil.com/good.com' }, 403],
  ['O4 ours as a user', { Origin: 'https://good.com@evil.com' }, 403],
  ['O5 http', { Origin: 'http://good.com' }, 403],
  ['O6 other port', { Origin: 'https://good.com:8443' }, 403],
  ['O7 look-alike', { Origin: 'https://g\u00f6od.com' }, 403],
  ['O7 punycode', { Origin: 'https://xn--god-1na.com' }, 403],
  ['O8 two origins', { Origin: ['https://good.com', 'https://evil.com'] }, 400],
  ['none with a cookie', {}, 403],
]

describe('a foreign page', () => {
  it.each(origins)('%s', async (_name, headers, expected) => {
    const { port, friendship } = await serveChat(secure)
    const control = await controlPair(port, friendship)
    const answer = await raw(port, handshake('/chat/ws', { ...cookie, ...headers }))
    expect(status(answer)).toBe(expected)
    expect(await control.check()).toEqual(control.expected)
  })

  it.each([
    [
      'without a list, the scheme that the trusted proxy names',
      { trustProxy: true },
      'https://good.com',
      'http://good.com',
    ],
    ['without a list, the port', {}, 'http://good.com:3000', 'http://good.com:3001'],
  ])('%s', async (_name, options, ours, foreign) => {
    const { port } = await serveChat(options)
    const headers = { ...cookie, Host: new URL(ours).host, 'X-Forwarded-Proto': 'https' }
    expect(status(await raw(port, handshake('/chat/ws', { ...headers, Origin: foreign })))).toBe(403)
    const url = `ws://127.0.0.1:${port}/chat/ws`
    const client = peer(url, { protocols: ['kithwire.v1'], origin: ours, headers: { ...headers, cookie: 'user=ann' } })
    expect((await client.hello()).user).toBe('ann')
  })

  it('takes only the two origins that were named', async () => {
    const { port } = await serveChat({ origins: ['https://good.com', 'https://other.com:8443'] })
    for (const origin of ['https://GOOD.com', 'https://good.com:443', 'https://other.com:8443']) {
      const client = peer(`ws://127.0.0.1:${port}/chat/ws`, {
        protocols: ['kithwire.v1'],
        origin,
        headers: { cookie: 'user=ann' },
      })
      expect((await client.hello()).user).toBe('ann')
    }
  })
})
