import 'reflect-metadata'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import WsRouterDefault, { MemoryStore, WsRouter, type WsRouterOptions } from '@kithwire/server'
import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import { Container } from 'inversify'
import { InversifyExpressServer } from 'inversify-express-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { ended, listen, quiet } from './serve.js'
import { peer } from './sockets.js'

const FRIEND = '5d1328295793f14020a979d5'
const JEFFERY = '5d1327c65793f14020a979ca'
const TESTUSER = '5d1328065793f14020a979cf'

/** The article's database: one pair of friends, stored the way its code did it. */
async function articleOptions(): Promise<WsRouterOptions> {
  const store = new MemoryStore()
  await store.friendships.put(
    {
      id: FRIEND,
      user1: TESTUSER,
      user2: JEFFERY,
      state: 'accepted',
      requester: JEFFERY,
      blockedBy: [],
      createdAt: 1,
      changedAt: 1,
      version: 1,
    },
    undefined,
  )
  return { store, legacy: 'open', log: quiet }
}

let router: WsRouter | undefined
afterEach(() => router?.close({ drainMs: 0 }))

const connectAs = (port: number, id: string) => peer(`ws://127.0.0.1:${port}/ws/${id}`)

/** What the article does with two tabs of a plugin, pasted from it. */
async function chat(port: number): Promise<void> {
  const [jeffery, testuser] = [connectAs(port, JEFFERY), connectAs(port, TESTUSER)]
  await Promise.all([jeffery.opened, testuser.opened])
  jeffery.socket.send(`{
"friend": "5d1328295793f14020a979d5",
"from": "5d1327c65793f14020a979ca",
"to": "5d1328065793f14020a979cf",
"content": "你好呀,testuser",
"type": "text"
}`)
  expect(JSON.parse(await testuser.next((text) => text))).toMatchObject({
    friend: FRIEND,
    from: JEFFERY,
    to: TESTUSER,
    content: '你好呀,testuser',
    type: 'text',
    seq: 1,
  })
  testuser.socket.send(JSON.stringify({ friend: FRIEND, from: TESTUSER, to: JEFFERY, content: '嗯嗯', type: 'text' }))
  expect(JSON.parse(await jeffery.next((text) => text))).toMatchObject({ from: TESTUSER, content: '嗯嗯', seq: 2 })
}

describe("the article's WsRouter(path, app)", () => {
  it.each([
    ['Express 5', express],
    ['Express 4', express4 as unknown as typeof express],
  ])('on %s, which listens later', async (_name, make) => {
    const app = make()
    router = WsRouterDefault('/ws/:id', app, undefined, await articleOptions())
    app.get('/', (_request, response) => void response.send('app'))
    const port = await ended(app.listen(0, '127.0.0.1'))
    await chat(port)
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('app')
    expect((await fetch(`http://127.0.0.1:${port}/ws/x`)).status).toBe(426)
  })

  it.each([
    ['Express 5', express],
    ['Express 4', express4],
    ['Connect', connect],
  ])('on %s, of which somebody else makes the server, with a socket as the first request', async (_name, make) => {
    const app = make()
    router = WsRouterDefault('/ws/:id', app, undefined, await articleOptions())
    const port = await listen(createServer(app))
    await chat(port)
    expect((await fetch(`http://127.0.0.1:${port}/elsewhere`)).status).toBe(404)
    await chat2(port)
  })

  /** A second pair of sockets, after the server is known. */
  const chat2 = async (port: number) => {
    const again = connectAs(port, JEFFERY)
    await again.opened
    expect(router?.connections(JEFFERY)).toBeGreaterThan(0)
  }

  it('on a server that closes its idle connections, of which the first socket is none', async () => {
    const app = express()
    router = WsRouterDefault('/ws/:id', app, undefined, await articleOptions())
    const server = createServer(app)
    const port = await listen(server)
    const first = connectAs(port, JEFFERY)
    await first.opened
    server.closeIdleConnections()
    router.broadcast('still here')
    expect(await first.next((text) => text)).toBe('still here')
  })

  it('on Connect, which listens itself', async () => {
    const app = connect()
    router = WsRouterDefault('/ws/:id', app, undefined, await articleOptions())
    await chat(await ended(app.listen(0, '127.0.0.1')))
  })

  it('on a server that is handed over', async () => {
    const app = express()
    const server = createServer(app)
    router = WsRouter.getInstance('/ws/:id', app, server, await articleOptions())
    await chat(await listen(server))
  })

  it('through InversifyExpressServer.setConfig', async () => {
    const options = await articleOptions()
    const server = new InversifyExpressServer(new Container(), null, null, null, null, false)
    server.setConfig((app) => {
      router = WsRouterDefault('/ws/:id', app, undefined, options)
    })
    await chat(await ended(server.build().listen(0, '127.0.0.1')))
  })

  it('is one for the process, until it is closed', async () => {
    const options = await articleOptions()
    router = WsRouter.getInstance('/ws/:id', express(), undefined, options)
    expect(WsRouterDefault('/other', express())).toBe(router)
    expect(router).toBeInstanceOf(WsRouter)
    expect(router).toBeInstanceOf(WsRouterDefault)
    await router.close({ drainMs: 0 })
    router = new WsRouterDefault(options)
    expect(router).toBeInstanceOf(WsRouter)
  })

  it('is what require gives as .default', async () => {
    const required = createRequire(import.meta.url)('@kithwire/server') as typeof import('@kithwire/server')
    const app = express()
    const made = required.default('/ws/:id', app, undefined, await articleOptions())
    expect(made).toBeInstanceOf(required.WsRouter)
    await chat(await ended(app.listen(0, '127.0.0.1')))
    await made.close({ drainMs: 0 })
  })

  it('leaves the app alone once it is closed', async () => {
    const app = express()
    router = WsRouterDefault('/ws/:id', app, undefined, await articleOptions())
    app.use((_request, response) => void response.send('app'))
    const port = await listen(createServer(app))
    await router.close({ drainMs: 0 })
    for (const path of ['/', '/ws/x']) expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(200)
  })

  it('says what is missing without a store', () => {
    expect(() => WsRouterDefault('/ws/:id', express())).toThrow(
      expect.objectContaining({ code: 'bad_option', message: expect.stringContaining('sqlite(') }),
    )
  })
})

describe("the article's methods", () => {
  it('broadcast and sendMsgToClientById reach bare clients, heartbeats ping them', async () => {
    const app = express()
    router = WsRouterDefault('/ws/:id', app, undefined, await articleOptions())
    const timer = router.initHeartbeat(40)
    expect(timer.hasRef()).toBe(false)
    const port = await ended(app.listen(0, '127.0.0.1'))
    const [jeffery, testuser] = [connectAs(port, JEFFERY), connectAs(port, TESTUSER)]
    await Promise.all([jeffery.opened, testuser.opened])
    router.broadcast('hello from server')
    router.broadcast(Buffer.from('bytes'))
    for (const client of [jeffery, testuser])
      for (const text of ['hello from server', 'bytes']) await client.next((came) => (came === text ? true : undefined))
    router.sendMsgToClientById({ from: JEFFERY, to: TESTUSER, content: 'direct', type: 'text' })
    const direct = await testuser.next((text) => (text.includes('direct') ? text : undefined))
    expect(JSON.parse(direct)).toEqual({ from: JEFFERY, to: TESTUSER, content: 'direct', type: 'text' })
    await new Promise((resolve) => jeffery.socket.once('ping', resolve))
    expect(jeffery.received).toHaveLength(2)
    clearInterval(timer)
  })

  it('takes nothing from a peer that lies, strays or breaks, and lets the others chat on', async () => {
    const app = express()
    router = WsRouterDefault('/ws/:id', app, undefined, await articleOptions())
    const port = await ended(app.listen(0, '127.0.0.1'))
    const stranger = connectAs(port, 'stranger')
    await stranger.opened
    const bad = [
      'garbage',
      '[[[[',
      '{"friend":{"$ne":null},"to":"x","content":"y"}',
      JSON.stringify({ friend: FRIEND, from: JEFFERY, to: TESTUSER, content: 'forged', type: 'text' }),
      JSON.stringify({ friend: 'unknown', from: 'stranger', to: TESTUSER, content: 'unknown', type: 'text' }),
    ]
    for (const frame of bad) stranger.socket.send(frame)
    stranger.socket.send('x'.repeat(200_000))
    expect((await stranger.closed).code).toBe(1009)
    await chat(port)
    const history = await router.history(JEFFERY, FRIEND, { after: 0, limit: 10 })
    expect(history.items.map(({ content }) => content)).toEqual(['你好呀,testuser', '嗯嗯'])
  })
})
