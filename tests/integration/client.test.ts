import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import WsRequest, { KithwireError, MemoryClientStore, type WsRequestOptions } from '@kithwire/client'
import { MemoryStore, WsRouter } from '@kithwire/server'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { befriend, byName, cleanup, ended, listen, makeChat, quiet, serveChat } from './serve.js'

type Client = WsRequest
type Messages = { content: string; seq: number; from: string; to?: string }

function clientOf(port: number, token: string | undefined, options: WsRequestOptions = {}): Client {
  const client = new WsRequest(`ws://127.0.0.1:${port}/chat/ws`, { ...(token && { token }), ...options })
  cleanup(() => client.close())
  return client
}

/** Collects messages; resolves `until(n)` once there are n of them. */
function collect(client: Client) {
  const items: Messages[] = []
  let wake = () => {}
  client.onMessage((message) => {
    items.push(message)
    wake()
  })
  const until = async (count: number) => {
    while (items.length < count)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    return items
  }
  return { items, until }
}

const failure = (client: Client) => new Promise<KithwireError>((resolve) => client.once('error', resolve))

it('carries messages between friends, to all devices, and their marks back', async () => {
  const { port, friendship: conversation } = await serveChat()
  const ann = clientOf(port, 'ann')
  const phone = clientOf(port, 'ann')
  const ben = clientOf(port, 'ben')
  const boxes = [ann, phone, ben].map(collect)
  await Promise.all([ann.connected(), phone.connected(), ben.connected()])
  const marks = new Promise<unknown>((resolve) =>
    ann.on('marks', ({ marks }) => marks.some((mark) => mark[2] === 2) && resolve(marks)),
  )
  expect(await ann.send({ conversation, content: 'hello 👋', meta: { x: 1 } })).toMatchObject({ seq: 1 })
  expect(await ben.send({ conversation, content: 'hi' })).toMatchObject({ seq: 2 })
  for (const box of boxes) {
    const items = await box.until(2)
    expect(items).toMatchObject([
      { seq: 1, from: 'ann', to: 'ben', content: 'hello 👋', meta: { x: 1 } },
      { seq: 2, from: 'ben', to: 'ann', content: 'hi' },
    ])
  }
  await ben.markRead(conversation)
  expect(await marks).toEqual([['ben', 2, 2]])
  const page = await ann.history(conversation, { limit: 1 })
  expect(page).toMatchObject({ items: [{ seq: 2 }], head: 2, first: 1, more: true })
  expect(await ann.history(conversation, { before: 2 })).toMatchObject({ items: [{ seq: 1 }], more: false })
  expect(await ann.heartbeat()).toBeGreaterThanOrEqual(0)
})

it('works as in the article: the id in the path, and four arguments to send', async () => {
  const { port, friendship } = await serveChat({ legacy: 'open', authenticate: undefined })
  const ann = new WsRequest(`ws://127.0.0.1:${port}/ws`, 'ann')
  const ben = new WsRequest(`ws://127.0.0.1:${port}/ws`, 'ben')
  cleanup(() => Promise.all([ann.close(), ben.close()]))
  const box = collect(ben)
  await ben.connected()
  await ann.send(friendship, '你好啊,jeffery', 'ben')
  expect(await box.until(1)).toMatchObject([{ from: 'ann', to: 'ben', content: '你好啊,jeffery', type: 'text' }])
})

it('iterates, until the signal aborts', async () => {
  const { port, friendship: conversation } = await serveChat()
  const ann = clientOf(port, 'ann')
  const ben = clientOf(port, 'ben')
  await ben.connected()
  const controller = new AbortController()
  const seen: string[] = []
  for (const content of ['1', '2', '3']) void ann.send({ conversation, content })
  for await (const message of ben.messages({ conversation, signal: controller.signal })) {
    seen.push(message.content)
    if (seen.length === 3) controller.abort()
  }
  expect(seen).toEqual(['1', '2', '3'])
})

it('goes on from the place that the app names, with a store that is new', async () => {
  const { port, friendship: conversation } = await serveChat()
  const ann = clientOf(port, 'ann')
  for (const content of ['1', '2', '3', '4']) await ann.send({ conversation, content })
  const ben = clientOf(port, 'ben', { autoConnect: false })
  const seen: string[] = []
  const done = new Promise<void>((resolve) =>
    ben.onMessage((message) => seen.push(message.content) === 2 && resolve(), { after: { [conversation]: 2 } }),
  )
  ben.connect()
  await done
  expect(seen).toEqual(['3', '4'])
})

describe('refusals reach the app with a code', () => {
  it('no credentials', async () => {
    const { port } = await serveChat()
    const client = clientOf(port, undefined)
    const error = await failure(client)
    expect(error).toBeInstanceOf(KithwireError)
    expect(error).toMatchObject({ code: 'unauthorized', retry: true })
    expect(client.state).toBe('stopped')
    client.authenticate('ann')
    await client.connected()
  })

  it('a stranger', async () => {
    const { port, friendship: conversation } = await serveChat()
    const cyd = clientOf(port, 'cyd')
    await expect(cyd.send({ conversation, content: 'x' })).rejects.toMatchObject({ code: 'not_found' })
    await expect(cyd.history(conversation)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('a block, at once', async () => {
    const { port, chat, friendship: conversation } = await serveChat()
    const ann = clientOf(port, 'ann')
    await ann.send({ conversation, content: 'x' })
    await chat.friendships.block('ben', conversation)
    await expect(ann.send({ conversation, content: 'y' })).rejects.toMatchObject({ code: 'blocked' })
  })

  it('a wrong address', async () => {
    const { port } = await serveChat()
    const client = new WsRequest(`ws://127.0.0.1:${port}/elsewhere`, { token: 'ann' })
    cleanup(() => client.close())
    expect(await failure(client)).toMatchObject({ code: 'not_found' })
  })

  it('bad options', () => {
    const make =
      (...args: unknown[]) =>
      () =>
        new WsRequest(...(args as [string]))
    for (const args of [
      [''],
      ['example.com'],
      [5],
      ['ws://x', null],
      ['ws://x', { token: 5 }],
      ['ws://x', { outboxItems: 0 }],
    ])
      expect(make(...args)).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })
})

it('hears of a conversation that begins while it is online', async () => {
  const { port, chat } = await serveChat()
  const cyd = clientOf(port, 'cyd')
  const box = collect(cyd)
  await cyd.connected()
  const conversation = await befriend(chat, 'ann', 'cyd')
  const ann = clientOf(port, 'ann')
  await ann.send({ conversation, content: 'welcome' })
  expect(await box.until(1)).toMatchObject([{ content: 'welcome', seq: 1 }])
})

it('goes on when the server is gone and comes back', async () => {
  const store = new MemoryStore()
  const options = { store, authenticate: byName, log: quiet }
  const first = await makeChat(options)
  const server = createServer()
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  first.chat.attach(server, '/chat/ws')
  const port = await listen(server)
  const ann = clientOf(port, 'ann')
  const ben = clientOf(port, 'ben', { store: new MemoryClientStore() })
  const box = collect(ben)
  await Promise.all([ann.connected(), ben.connected()])
  await ann.send({ conversation: first.friendship, content: 'before' })
  await box.until(1)
  const waiting = new Promise<void>((resolve) => ann.on('state', (state) => state === 'waiting' && resolve()))
  // As a crash: every connection is cut, nothing is said.
  server.close()
  for (const socket of sockets) socket.resetAndDestroy()
  await waiting
  const sent = ann.send({ conversation: first.friendship, content: 'while it is away' })
  const again = createServer()
  const chat = new WsRouter(options)
  cleanup(() => chat.close({ drainMs: 0 }))
  chat.attach(again, '/chat/ws')
  again.listen(port, '127.0.0.1')
  await ended(again)
  expect(await sent).toMatchObject({ seq: 2 })
  expect(await box.until(2)).toMatchObject([{ content: 'before' }, { content: 'while it is away' }])
})

it('runs as the browser build on a global WebSocket', async () => {
  const { port, friendship: conversation } = await serveChat()
  const path = new URL('../../packages/client/dist/index.browser.js', import.meta.url).href
  const { default: BrowserRequest } = (await import(path)) as { default: typeof WsRequest }
  const before = globalThis.WebSocket
  globalThis.WebSocket = WebSocket as never
  cleanup(() => {
    globalThis.WebSocket = before
  })
  const url = `ws://127.0.0.1:${port}/chat/ws`
  const ann = new BrowserRequest(url, { token: 'ann' })
  cleanup(() => ann.close())
  const box = collect(ann)
  await ann.connected()
  await ann.send({ conversation, content: 'from a page' })
  expect(await box.until(1)).toMatchObject([{ content: 'from a page' }])
  const nobody = new BrowserRequest(url)
  cleanup(() => nobody.close())
  expect(await failure(nobody)).toMatchObject({ code: 'unauthorized' })
})
