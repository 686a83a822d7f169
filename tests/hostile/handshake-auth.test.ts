import { systemRuntime } from '@kithwire/protocol'
import type { WsRouterOptions } from '@kithwire/server'
import { describe, expect, it } from 'vitest'
import { serveChat } from '../integration/serve.js'
import { controlPair, handshake, type Peer, peer, raw, status } from '../integration/sockets.js'

/** An app whose tokens are names; some are no good any more. */
const byToken: WsRouterOptions['authenticate'] = (request, { token }) => {
  const name = token ?? (request.headers['x-user'] as string | undefined)
  if (name === 'outage') throw new Error('the session store is down')
  if (name === 'expired') return { id: 'ann', expires: 1 }
  return name !== undefined && /^[a-z]{3}$/.test(name) ? { id: name } : null
}

const bearer = (token: string) => `kithwire.bearer.${Buffer.from(token).toString('base64url')}`
const open = (port: number, path: string, token?: string): Peer =>
  peer(`ws://127.0.0.1:${port}${path}`, { protocols: ['kithwire.v1', ...(token === undefined ? [] : [bearer(token)])] })

// What a token is, the app decides; these are what apps see most. Each is a no, and none may be anything else.
const badTokens: [name: string, token: string | undefined][] = [
  ['O10 none', undefined],
  ['O11 expired', 'expired'],
  ['O12 alg:none', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.'],
  ['O14 kid with a path', `${Buffer.from('{"kid":"../../etc/passwd"}').toString('base64url')}.e30.x`],
  ['O14 kid with SQL', `${Buffer.from(`{"kid":"' OR 1=1 --"}`).toString('base64url')}.e30.x`],
  ['O15 of another audience', `e30.${Buffer.from('{"aud":"other"}').toString('base64url')}.x`],
  ['O16 not yet valid', `e30.${Buffer.from('{"nbf":99999999999}').toString('base64url')}.x`],
  ['O21 revoked', 'gone'],
  ['__proto__', '__proto__'],
]

describe('credentials that are refused', () => {
  it.each(badTokens)('%s', async (_name, token) => {
    const { port, friendship, chat } = await serveChat({ authenticate: byToken })
    const control = await controlPair(port, friendship)
    const client = open(port, '/chat/ws', token)
    await client.opened
    client.socket.send('{"v":1,"t":"hello"}')
    expect((await client.closed).code).toBe(4501)
    expect(client.received).toEqual([])
    const bare = peer(`ws://127.0.0.1:${port}/ws/ann`, token ? { headers: { authorization: `Bearer ${token}` } } : {})
    expect((await bare.refused).status).toBe(401)
    expect(await control.check()).toEqual(control.expected)
    expect(chat.connections()).toBe(2)
  })

  it('O17 a token of 20 KB', async () => {
    const { port } = await serveChat({ authenticate: byToken })
    const protocols = `kithwire.v1, ${bearer('x'.repeat(20_000))}`
    expect(status(await raw(port, handshake('/chat/ws', { 'Sec-WebSocket-Protocol': protocols })))).toBe(431)
  })

  it('O19 a ticket lets in once', async () => {
    const { port, chat } = await serveChat({ authenticate: byToken })
    const ticket = chat.ticket('ann')
    const [first, second] = [open(port, `/chat/ws?ticket=${ticket}`), open(port, `/chat/ws?ticket=${ticket}`)]
    expect((await first.hello()).user).toBe('ann')
    expect((await second.closed).code).toBe(4501)
    const bare = peer(`ws://127.0.0.1:${port}/ws/ann?ticket=${ticket}`)
    expect((await bare.refused).status).toBe(401)
  })

  it('O20 the path of somebody else', async () => {
    const { port } = await serveChat({ authenticate: byToken })
    const client = open(port, '/ws/ben', 'ann')
    expect((await client.closed).code).toBe(4503)
    const bare = peer(`ws://127.0.0.1:${port}/ws/ben`, { headers: { 'x-user': 'ann' } })
    expect((await bare.refused).status).toBe(403)
  })

  it('O21 a revoked user is closed and stays out', async () => {
    const revoked = new Set<string>()
    const { port, chat } = await serveChat({
      authenticate: (request) => {
        const user = request.headers['x-user'] as string
        return revoked.has(user) ? null : user
      },
    })
    const options = { protocols: ['kithwire.v1'], headers: { 'x-user': 'ann' } }
    const client = peer(`ws://127.0.0.1:${port}/chat/ws`, options)
    await client.hello()
    revoked.add('ann')
    chat.revoke('ann')
    expect((await client.closed).code).toBe(4501)
    expect((await peer(`ws://127.0.0.1:${port}/chat/ws`, options).closed).code).toBe(4501)
  })

  it('O23 guessing is stopped for its address, and for no other', async () => {
    // No time passes, so that nothing is forgiven while the test runs, however slow the machine.
    const runtime = { ...systemRuntime, monotonic: () => 0 }
    const { port, friendship } = await serveChat({ authenticate: byToken, trustProxy: true, runtime })
    const control = await controlPair(port, friendship)
    const from = (address: string, user: string) =>
      raw(port, handshake('/ws/ann', { 'X-Forwarded-For': address, 'x-user': user }))
    const statuses: number[] = []
    for (let index = 0; index < 60; index++) statuses.push(status(await from('6.6.6.6', 'nope')))
    expect(statuses.indexOf(429)).toBeGreaterThan(10)
    expect(new Set(statuses.slice(statuses.indexOf(429)))).toEqual(new Set([429]))
    expect(status(await from('7.7.7.7', 'nope'))).toBe(401)
    expect(await control.check()).toEqual(control.expected)
  })
})

describe('an authenticate that fails', () => {
  it('logs nobody out: 503 for bare clients, 1013 for v1', async () => {
    const { port, friendship } = await serveChat({ authenticate: byToken })
    const control = await controlPair(port, friendship)
    expect((await open(port, '/chat/ws', 'outage').closed).code).toBe(1013)
    const bare = peer(`ws://127.0.0.1:${port}/ws/ann`, { headers: { 'x-user': 'outage' } })
    expect((await bare.refused).status).toBe(503)
    expect(await control.check()).toEqual(control.expected)
  })

  it.each([[{}], [{ id: 5 }], [{ id: '' }], [{ id: 'a\nb' }], [7], [{ id: 'ann', expires: 'soon' }]])(
    'answers %j, which is no user',
    async (answer) => {
      const { port } = await serveChat({ authenticate: () => answer as never })
      expect((await open(port, '/chat/ws').closed).code).toBe(1013)
    },
  )
})
