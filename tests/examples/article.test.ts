import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BareClient, type BareFrame, type BareMessage } from '../support/bare-client.js'
import { type Example, startExample } from '../support/example.js'
import { findPython, need, PYTHON } from '../support/need.js'

const FRIEND = '5d1328295793f14020a979d5'
const JEFFERY = '5d1327c65793f14020a979ca'
const TESTUSER = '5d1328065793f14020a979cf'

let data: string
let server: Example

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'kithwire-article-'))
  server = await start()
})
afterEach(async () => {
  await server.stop('SIGKILL')
  rmSync(data, { recursive: true, force: true })
})

const start = (port = 0) => startExample('article', { DATA: data, PORT: String(port) })
const connect = (user: string) => BareClient.open(`${server.address.replace('http', 'ws')}/ws/${user}`)
const get = (path: string) => fetch(`${server.address}${path}`)

async function history(user: string): Promise<BareMessage[]> {
  const response = await get(`/messages/${user}?friendId=${FRIEND}`)
  expect(response.status).toBe(200)
  return response.json() as Promise<BareMessage[]>
}

/** The JSON of the article, as its readers paste it. */
const frame = (from: string, to: string, content: string): BareFrame => ({
  friend: FRIEND,
  from,
  to,
  content,
  type: 'text',
})
const contents = (messages: readonly BareMessage[]) => messages.map(({ content }) => content)

describe('the article', () => {
  it('two clients chat by its JSON, and both find it in the history', async () => {
    const [jeffery, testuser] = [await connect(JEFFERY), await connect(TESTUSER)]
    jeffery.send(frame(JEFFERY, TESTUSER, '你好呀,testuser,这是通过 simple websocket client 发送的消息'))
    const [asked] = await testuser.atLeast(1)
    expect(asked).toEqual({
      ...frame(JEFFERY, TESTUSER, '你好呀,testuser,这是通过 simple websocket client 发送的消息'),
      _id: expect.any(String),
      createdAt: expect.any(Number),
      seq: 1,
    })
    testuser.send(frame(TESTUSER, JEFFERY, '嗯嗯,收到了 jeffery,这也是通过 simple websocket client 发送的'))
    const [answered] = await jeffery.atLeast(1)
    expect(answered).toMatchObject({ from: TESTUSER, to: JEFFERY, seq: 2 })
    expect(await history(JEFFERY)).toEqual([asked, answered])
    expect(await history(TESTUSER)).toEqual([asked, answered])
    expect(testuser.received).toEqual([asked])
  })

  it.each(['http://localhost:3000', 'chrome-extension://pfdhoblngboilpfeibdedpjgfnlcodoo', 'null'])(
    'a page of %s connects, as to the article',
    async (origin) => {
      const url = `${server.address.replace('http', 'ws')}/ws/${TESTUSER}`
      const testuser = await BareClient.open(url, { origin, cookie: 'theme=dark' })
      ;(await connect(JEFFERY)).send(frame(JEFFERY, TESTUSER, 'to a page'))
      expect(contents(await testuser.atLeast(1))).toEqual(['to a page'])
    },
  )

  it('a Python client that knows only the article chats with a bare one', async (context) => {
    const python = need(context, findPython(), PYTHON)
    const script = fileURLToPath(new URL('article-client.py', import.meta.url))
    const url = `${server.address.replace('http', 'ws')}/ws/${TESTUSER}`
    const child = spawn(python, [script, url, '3'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const printed = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    expect((await printed.next()).value).toBe('open')
    const jeffery = await connect(JEFFERY)
    for (const [index, content] of ['eins', 'zwei 🎉', 'drei'].entries()) {
      jeffery.send(frame(JEFFERY, TESTUSER, content))
      expect(JSON.parse((await printed.next()).value)).toMatchObject({ from: JEFFERY, content, seq: 2 * index + 1 })
      await jeffery.atLeast(index + 1)
    }
    const [code] = child.exitCode === null ? await once(child, 'close') : [child.exitCode]
    expect(code).toBe(0)
    expect(contents(jeffery.received)).toEqual(['嗯嗯,收到了: eins', '嗯嗯,收到了: zwei 🎉', '嗯嗯,收到了: drei'])
    expect(await history(TESTUSER)).toHaveLength(6)
  })

  it('what somebody has seen survives kill -9 in the middle of more', async () => {
    const [jeffery, testuser] = [await connect(JEFFERY), await connect(TESTUSER)]
    for (let index = 0; index < 300; index++) jeffery.send(frame(JEFFERY, TESTUSER, `message ${index}`))
    await testuser.atLeast(20)
    await server.stop('SIGKILL')
    await Promise.all([jeffery.closed, testuser.closed])
    server = await start()
    const rows = await history(JEFFERY)
    expect(rows.slice(0, testuser.received.length)).toEqual(testuser.received)
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1))
    expect(contents(rows)).toEqual(rows.map((_, index) => `message ${index}`))
  })

  it('a restart makes no second friendship, and the log goes on', async () => {
    const jeffery = await connect(JEFFERY)
    const testuser = await connect(TESTUSER)
    jeffery.send(frame(JEFFERY, TESTUSER, 'before'))
    await testuser.atLeast(1)
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(await jeffery.closed).toBe(1012)
    server = await start(server.port)
    const again = await connect(TESTUSER)
    ;(await connect(JEFFERY)).send(frame(JEFFERY, TESTUSER, 'after'))
    expect(await again.atLeast(1)).toMatchObject([{ content: 'after', seq: 2 }])
    expect(contents(await history(TESTUSER))).toEqual(['before', 'after'])
  })

  it('the history is complete beyond one page', async () => {
    const [jeffery, testuser] = [await connect(JEFFERY), await connect(TESTUSER)]
    for (let index = 0; index < 450; index++) {
      jeffery.send(frame(JEFFERY, TESTUSER, String(index)))
      if (index % 50 === 49) await testuser.atLeast(index + 1)
    }
    expect(contents(await history(JEFFERY))).toEqual(Array.from({ length: 450 }, (_, index) => String(index)))
  }, 120_000)

  it('only the two of a friendship read its history, and only by a plain id', async () => {
    expect((await get(`/messages/stranger?friendId=${FRIEND}`)).status).toBe(404)
    expect((await get(`/messages/${JEFFERY}?friendId=unknown`)).status).toBe(404)
    for (const query of ['', '?friendId[$ne]=x', `?friendId=${FRIEND}&friendId=${FRIEND}`])
      expect((await get(`/messages/${JEFFERY}${query}`)).status, query).toBe(400)
  })
})
