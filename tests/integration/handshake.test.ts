import type { LogLine } from '@kithwire/server'
import express from 'express'
import session from 'express-session'
import express4 from 'express4'
import { describe, expect, it } from 'vitest'
import { call } from './http-client.js'
import { ended, makeChat, serveChat } from './serve.js'
import { bare, handshake, peer, raw, status, v1 } from './sockets.js'

describe('legacy modes', () => {
  it("'authenticated' needs the user of the path", async () => {
    const { port, friendship } = await serveChat()
    const [ann, ben] = [await bare(port, 'ann'), await bare(port, 'ben')]
    ann.socket.send(JSON.stringify({ friend: friendship, to: 'ben', content: 'hi' }))
    expect(JSON.parse(await ben.next((text) => text))).toMatchObject({
      from: 'ann',
      to: 'ben',
      content: 'hi',
      type: 'text',
    })
    expect(status(await raw(port, handshake('/ws/ben', { 'x-user': 'ann' })))).toBe(403)
    expect(status(await raw(port, handshake('/ws/ben')))).toBe(401)
  })

  it('L14 false refuses what has no subprotocol, and serves v1 on the same path', async () => {
    const { port } = await serveChat({ legacy: false })
    const answer = await raw(port, handshake('/ws/ann', { 'x-user': 'ann' }))
    expect([status(answer), answer.includes('kithwire.v1')]).toEqual([426, true])
    await v1(port, 'ann', '/ws/ann')
  })

  it("'open' takes the path for the user, warns at the start, and checks an origin only if some are named", async () => {
    const lines: LogLine[] = []
    const { port } = await serveChat({
      legacy: 'open',
      authenticate: undefined as never,
      log: (line) => lines.push(line),
    })
    expect(lines.map(({ level, event }) => [level, event])).toContainEqual(['warn', 'legacy_open'])
    await bare(port, 'ann', {})
    const client = peer(`ws://127.0.0.1:${port}/ws/ann`, { protocols: ['kithwire.v1'] })
    expect((await client.hello()).user).toBe('ann')
    expect((await peer(`ws://127.0.0.1:${port}/chat/ws`, { protocols: ['kithwire.v1'] }).closed).code).toBe(4501)
    await peer(`ws://127.0.0.1:${port}/ws/ann`, { origin: 'https://elsewhere.com' }).opened
    const named = await serveChat({ legacy: 'open', origins: ['https://good.com'] })
    expect(status(await raw(named.port, handshake('/ws/ann', { Origin: 'https://evil.com' })))).toBe(403)
  })

  it("'open' beside authenticate: v1 has to prove who it is all the same", async () => {
    const { port } = await serveChat({ legacy: 'open' })
    await bare(port, 'ann', {})
    expect((await peer(`ws://127.0.0.1:${port}/ws/ann`, { protocols: ['kithwire.v1'] }).closed).code).toBe(4501)
  })

  it('takes ids that a URL must escape', async () => {
    const { port } = await serveChat()
    for (const user of ['a b', 'a/b', 'a%2Fb', 'a:b', '你好', '__proto__']) {
      const headers = { cookie: `user=${encodeURIComponent(user)}` }
      const client = peer(`ws://127.0.0.1:${port}/ws/${encodeURIComponent(user)}`, {
        protocols: ['kithwire.v1'],
        headers,
        origin: `http://127.0.0.1:${port}`,
      })
      expect((await client.hello()).user).toBe(user)
    }
  })
})

describe('admission', () => {
  it('A20 closes what one user opens beyond 20, and nobody else', async () => {
    const { port, chat } = await serveChat()
    for (let index = 0; index < 20; index++) await v1(port, 'ann')
    const more = peer(`ws://127.0.0.1:${port}/chat/ws`, { protocols: ['kithwire.v1'], headers: { 'x-user': 'ann' } })
    expect((await more.closed).code).toBe(4510)
    const old = peer(`ws://127.0.0.1:${port}/ws/ann`, { headers: { 'x-user': 'ann' } })
    expect((await old.refused).status).toBe(429)
    await v1(port, 'ben')
    expect([chat.connections('ann'), chat.connections()]).toEqual([20, 21])
  })

  it('gives a place back when its socket has gone', async () => {
    const { port } = await serveChat({ limits: { connectionsPerUser: 1 } })
    for (let index = 0; index < 5; index++) {
      const client = await v1(port, 'ann')
      client.socket.terminate()
      await client.closed
      // The server sees the end of the socket after we do.
      await expect.poll(async () => (await openOnce(port)).code, { timeout: 5_000 }).toBe(1000)
    }
  })

  it('limits sockets per address and in all', async () => {
    const { port } = await serveChat({ trustProxy: true, limits: { connectionsPerAddress: 2, connections: 3 } })
    const from = (address: string) =>
      peer(`ws://127.0.0.1:${port}/ws/ann`, { headers: { 'x-user': 'ann', 'x-forwarded-for': address } })
    await Promise.all([from('1.1.1.1').opened, from('1.1.1.1').opened])
    expect((await from('1.1.1.1').refused).status).toBe(429)
    await from('2.2.2.2').opened
    expect((await from('3.3.3.3').refused).status).toBe(503)
  })

  it('limits sockets that say nothing', async () => {
    const { port } = await serveChat({ limits: { pendingHellos: 1 } })
    const headers = { 'x-user': 'ann' }
    const silent = await peer(`ws://127.0.0.1:${port}/chat/ws`, { protocols: ['kithwire.v1'], headers }).opened
    const next = peer(`ws://127.0.0.1:${port}/chat/ws`, { protocols: ['kithwire.v1'], headers })
    expect((await next.refused).status).toBe(503)
    await silent.hello()
    await v1(port, 'ann')
  })

  it('R6 limits connecting and disconnecting', async () => {
    const { port, chat } = await serveChat({ limits: { handshakeBurst: 10, handshakeRate: 1 } })
    const statuses: number[] = []
    for (let index = 0; index < 30; index++) statuses.push(status(await raw(port, handshake('/ws/ann'))))
    expect(statuses.slice(0, 2)).toEqual([401, 401])
    expect(new Set(statuses.slice(-10))).toEqual(new Set([429]))
    expect(chat.stats.get('handshake.refused.rate')).toBeGreaterThan(10)
  })

  it('drops a refused socket that does not go, and reads nothing from it', async () => {
    const { port } = await serveChat({ limits: { connectionsPerAddress: 1 } })
    const stubborn = await raw(port, handshake('/chat/ws', { 'Sec-WebSocket-Protocol': 'kithwire.v1' }))
    expect(status(stubborn)).toBe(101)
    // A close frame of the code 4501, and the end of the connection without any answer of ours.
    expect(stubborn.slice(stubborn.indexOf('\r\n\r\n') + 4, -15).length).toBeGreaterThan(0)
    expect(stubborn).toContain(Buffer.from([4501 >> 8, 4501 & 255]).toString('latin1'))
    await v1(port, 'ann')
  })

  it('says once that a proxy is not trusted', async () => {
    const lines: LogLine[] = []
    const { port } = await serveChat({ log: (line) => lines.push(line) })
    for (let index = 0; index < 3; index++) await raw(port, handshake('/ws/ann', { 'X-Forwarded-For': '1.1.1.1' }))
    expect(lines.filter(({ event }) => event === 'proxy_not_trusted')).toHaveLength(1)
  })

  it('writes one line for many refusals, with nothing in it that could forge another', async () => {
    const lines: LogLine[] = []
    const { port } = await serveChat({ log: (line) => lines.push(line), trustProxy: true })
    for (let index = 0; index < 5; index++)
      await raw(port, handshake('/ws/ann', { 'X-Forwarded-For': `\u009b31m1.1.1.1${index}` }))
    const refused = lines.filter(({ event }) => event.startsWith('handshake_refused'))
    expect(refused).toHaveLength(1)
    expect(JSON.stringify(refused)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  })
})

const openOnce = async (port: number) => {
  const client = peer(`ws://127.0.0.1:${port}/chat/ws`, { protocols: ['kithwire.v1'], headers: { 'x-user': 'ann' } })
  await client.opened
  client.socket.close(1000)
  return client.closed
}

describe('the session of the app', () => {
  it.each([
    ['Express 5', express],
    ['Express 4', express4 as unknown as typeof express],
  ])('of express-session on %s, signs in sockets and HTTP alike', async (_name, make) => {
    const app = make()
    const sessions = session({ secret: 'only for this test', resave: false, saveUninitialized: false })
    const { chat } = await makeChat({
      sessions: [sessions],
      authenticate: (request) => (request as unknown as { session?: { user?: string } }).session?.user ?? null,
    })
    app.use(sessions)
    app.post('/sign-in/:user', (request, response) => {
      Object.assign(request.session, { user: request.params.user })
      response.end()
    })
    app.use('/chat', chat.router)
    const server = app.listen(0, '127.0.0.1')
    chat.attach(server, '/chat/ws')
    const port = await ended(server)
    const signedIn = await call(port, 'POST', '/sign-in/ann')
    const cookie = String(signedIn.headers['set-cookie']).split(';')[0]!
    const origin = `http://127.0.0.1:${port}`
    const client = peer(`ws://127.0.0.1:${port}/chat/ws`, { protocols: ['kithwire.v1'], headers: { cookie }, origin })
    expect((await client.hello()).user).toBe('ann')
    const list = await call(port, 'GET', '/chat/friendships', { headers: { cookie } })
    expect(list.json).toMatchObject([{ user: 'ben' }])
    const other = peer(`ws://127.0.0.1:${port}/chat/ws`, {
      protocols: ['kithwire.v1'],
      headers: { cookie: 'x=y' },
      origin,
    })
    expect((await other.closed).code).toBe(4501)
  })

  it('a middleware that fails is an outage, one that answers is a no', async () => {
    const failing = await serveChat({ sessions: [(_request, _response, next) => next(new Error('down'))] })
    expect((await peer(`ws://127.0.0.1:${failing.port}/ws/ann`, { headers: { 'x-user': 'ann' } }).refused).status).toBe(
      503,
    )
    const answering = await serveChat({ sessions: [(_request, response) => response.end('no')] })
    expect(
      (await peer(`ws://127.0.0.1:${answering.port}/ws/ann`, { headers: { 'x-user': 'ann' } }).refused).status,
    ).toBe(401)
  })

  it('a token that ends is asked for again, and a new one of the same user keeps the socket', async () => {
    const { port } = await serveChat({
      authenticate: (_request, { token }) => {
        if (token === undefined) return null
        const [id = '', lives] = token.split(' ')
        return { id, expires: Date.now() + Number(lives) }
      },
    })
    const bearer = (token: string) => `kithwire.bearer.${Buffer.from(token).toString('base64url')}`
    const client = peer(`ws://127.0.0.1:${port}/chat/ws`, { protocols: ['kithwire.v1', bearer('ann 50')] })
    await client.hello()
    expect(await client.envelope('error')).toMatchObject({ code: 'token_expired', fatal: false })
    client.socket.send(JSON.stringify({ v: 1, t: 'auth', n: 1, token: 'ann 60000' }))
    expect(await client.envelope('auth')).toMatchObject({ re: 1, expires: expect.any(Number) })
    client.socket.send(JSON.stringify({ v: 1, t: 'auth', n: 2, token: 'ben 60000' }))
    expect((await client.closed).code).toBe(4501)
  })
})
