import { createServer } from 'node:http'
import { MemoryStore, WsRouter, type WsRouterOptions } from '@kithwire/server'
import { describe, expect, it } from 'vitest'
import { byName, listen, makeChat, quiet, serveChat } from './serve.js'
import { bare, controlPair, handshake, peer, raw, status, v1 } from './sockets.js'

describe('WsRouter', () => {
  it("sends from the server's side, once per cid, to all devices of both", async () => {
    const { port, chat, friendship } = await serveChat()
    const sockets = [await v1(port, 'ann'), await v1(port, 'ann'), await v1(port, 'ben')]
    const old = await bare(port, 'ben')
    const message = {
      from: 'ann',
      conversation: friendship,
      content: 'from the app',
      cid: 'order-17',
      meta: { order: 17 },
    }
    const stored = await chat.send(message)
    expect(stored).toMatchObject({ cid: 'order-17', seq: 1 })
    expect(await chat.send(message)).toMatchObject({ seq: 1, id: stored.id, duplicate: true })
    for (const socket of sockets)
      expect((await socket.envelope('messages')).items).toMatchObject([
        { content: 'from the app', meta: { order: 17 } },
      ])
    expect(JSON.parse(await old.next((text) => text))).toMatchObject({ _id: stored.id, content: 'from the app' })
    expect(await chat.send({ from: 'ben', conversation: friendship, content: 'x' })).toMatchObject({ seq: 2 })
  })

  it.each([
    [{ from: 'cyd' }, 'not_found'],
    [{ conversation: 'unknown' }, 'not_found'],
    [{ content: '' }, 'bad_field'],
    [{ content: 5 as never }, 'bad_field'],
    [{ content: 'x'.repeat(20_000) }, 'too_large'],
    [{ cid: 'a b' }, 'bad_field'],
    [{ type: 'Text' }, 'bad_field'],
  ])('refuses to send with %j: %s', async (change, code) => {
    const { chat, friendship } = await makeChat()
    const message = { from: 'ann', conversation: friendship, content: 'x', ...change }
    await expect(chat.send(message)).rejects.toMatchObject({ name: 'KithwireError', code })
  })

  it('old and new clients of one conversation see one log', async () => {
    const { port, chat, friendship } = await serveChat()
    const [ann, ben] = [await v1(port, 'ann'), await bare(port, 'ben')]
    ben.socket.send(JSON.stringify({ friend: friendship, from: 'mallory', to: 'ann', content: 'old' }))
    const pushed = await ann.envelope('messages')
    expect(pushed.items).toMatchObject([{ seq: 1, from: 'ben', to: 'ann', content: 'old' }])
    await ann.send(friendship, 'new')
    expect(JSON.parse(await ben.next((text) => text))).toMatchObject({ seq: 2, from: 'ann', content: 'new' })
    const { items } = await chat.history('ben', friendship, { after: 0, limit: 10 })
    expect(items.map(({ content }) => content)).toEqual(['old', 'new'])
  })

  it('closes with 1012, refuses newcomers meanwhile, and leaves server and store to the app', async () => {
    const { port, chat, server, friendship } = await serveChat()
    const ann = await v1(port, 'ann')
    await ann.send(friendship, 'before')
    const closing = chat.close({ drainMs: 500 })
    expect(await ann.envelope('drain')).toMatchObject({ spread: expect.any(Number) })
    const answer = await raw(port, handshake('/chat/ws', { 'Sec-WebSocket-Protocol': 'kithwire.v1' }))
    expect([status(answer), /^Retry-After: /m.test(answer)]).toEqual([503, true])
    expect((await ann.closed).code).toBe(1012)
    await closing
    expect(chat.close()).toBeInstanceOf(Promise)
    expect(server.listening).toBe(true)
    expect(server.listenerCount('upgrade')).toBe(0)
    expect(() => chat.attach(server, '/again')).toThrow(expect.objectContaining({ code: 'closed' }))
  })

  it('attaches to several servers and paths, before and after they listen, and twice as once', async () => {
    const { chat, friendship } = await makeChat()
    const [early, late] = [createServer(), createServer()]
    chat.attach(early, '/a')
    chat.attach(early, '/a')
    chat.attach(early, '/b/ws')
    const ports = [await listen(early), await listen(late)] as const
    chat.attach(late, '/c')
    const ann = await v1(ports[0], 'ann', '/b/ws')
    const ben = await v1(ports[1], 'ben', '/c')
    await v1(ports[0], 'ann', '/a')
    await ann.send(friendship, 'across')
    await ben.next((text) => (text.includes('across') ? true : undefined))
    expect(early.listenerCount('upgrade')).toBe(2)
  })

  it('the router answers alone or hands on', async () => {
    const { chat } = await makeChat()
    const port = await listen(
      createServer((request, response) => {
        if (request.url?.startsWith('/next')) chat.router(request, response, () => response.end('handed on'))
        else chat.router(request, response)
      }),
    )
    const get = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`)
      return [answer.status, await answer.text()]
    }
    expect(await get('/next')).toEqual([200, 'handed on'])
    const [code, text] = await get('/alone')
    expect([code, JSON.parse(String(text)).error.code]).toEqual([404, 'not_found'])
  })

  it('counts what happened', async () => {
    const { port, chat, friendship } = await serveChat()
    const control = await controlPair(port, friendship)
    await peer(`ws://127.0.0.1:${port}/ws/ann`).refused
    await control.check()
    expect(chat.stats.get('handshake.v1')).toBe(2)
    expect(chat.stats.get('handshake.refused.unauthorized')).toBe(1)
  })
})

describe('options', () => {
  const good = (): WsRouterOptions => ({ store: new MemoryStore(), authenticate: byName, log: quiet })

  it.each([
    ['nothing', undefined],
    ['no store', { authenticate: byName }],
    ['a store that is none', { ...good(), store: 'chat.db' }],
    ['no authenticate', { store: new MemoryStore() }],
    ['an authenticate that is no function', { ...good(), authenticate: 'me' }],
    ['another legacy', { ...good(), legacy: 'yes' }],
    ['a legacy of true', { ...good(), legacy: true }],
    ['an origin with a path', { ...good(), origins: ['https://a.com/'] }],
    ['an origin of *', { ...good(), origins: ['*'] }],
    ['an origin as a string', { ...good(), origins: 'https://a.com' }],
    ['negative proxies', { ...good(), trustProxy: -1 }],
    ['sessions that are no functions', { ...good(), sessions: [{}] }],
    ['half a friend table', { ...good(), friendships: { members: async () => null } }],
    [
      'a store without friendships',
      { ...good(), store: Object.create(new MemoryStore(), { friendships: { value: undefined } }) },
    ],
    ['an unknown option', { ...good(), origin: ['https://a.com'] }],
    ['an unknown limit', { ...good(), limits: { speed: 1 } }],
    ['a limit of 0', { ...good(), limits: { connections: 0 } }],
  ])('throws at construction on %s', (_name, options) => {
    expect(() => new WsRouter(options as never)).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })

  it.each(['ws', '/ws/:user', '/ws/*', '/:id/:id'])('throws on the path %s', async (path) => {
    const { chat } = await makeChat()
    expect(() => chat.attach(createServer(), path)).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })
})
