import { createServer, type Server } from 'node:http'
import type { WsRouter } from '@kithwire/server'
import express from 'express'
import expressWs from 'express-ws'
import { Server as SocketIo } from 'socket.io'
import { io } from 'socket.io-client'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { cleanup, ended, listen, makeChat } from './serve.js'
import { controlPair, handshake, peer, raw, status } from './sockets.js'

interface Neighbour {
  name: string
  /** Puts the neighbour on the server. */
  join(server: Server): void
  /** Rejects unless the neighbour works. */
  check(port: number): Promise<void>
}

const echo = async (port: number, path: string, protocols: string[] = []) => {
  const client = peer(`ws://127.0.0.1:${port}${path}`, { protocols })
  await client.opened
  client.socket.send('ping')
  expect(await client.next((text) => text)).toBe('ping')
}

const echoing = (server: WebSocketServer) => {
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))))
  cleanup(() => server.close())
  return server
}

const neighbours: Neighbour[] = [
  {
    name: 'a WebSocketServer of ws with a path, which answers 400 to every other',
    join: (server) => void echoing(new WebSocketServer({ server, path: '/live' })),
    check: (port) => echo(port, '/live'),
  },
  {
    name: 'a WebSocketServer of ws without a path, which takes every other',
    join: (server) => void echoing(new WebSocketServer({ server })),
    check: (port) => echo(port, '/anything'),
  },
  {
    name: 'Socket.IO, which ends what nobody answers',
    join: (server) => {
      const sockets = new SocketIo(server, { destroyUpgradeTimeout: 50 })
      sockets.on('connection', (socket) => socket.on('ping', (data, answer) => answer(data)))
      cleanup(() => sockets.close())
    },
    check: async (port) => {
      for (const transport of ['websocket', 'polling']) {
        const client = io(`http://127.0.0.1:${port}`, { transports: [transport], forceNew: true })
        cleanup(() => client.close())
        expect(await client.emitWithAck('ping', 'pong')).toBe('pong')
      }
    },
  },
  {
    name: 'a hot-reload socket, which looks at the subprotocol and leaves all others',
    join: (server) => {
      const hmr = echoing(new WebSocketServer({ noServer: true }))
      server.on('upgrade', (request, socket, head) => {
        if (request.headers['sec-websocket-protocol'] === 'vite-hmr')
          hmr.handleUpgrade(request, socket, head, (ws) => hmr.emit('connection', ws, request))
      })
    },
    check: (port) => echo(port, '/', ['vite-hmr']),
  },
]

const serve = async (chat: WsRouter, neighbour: Neighbour, first: 'chat' | 'neighbour') => {
  const server = createServer((_request, response) => response.end('app'))
  if (first === 'neighbour') neighbour.join(server)
  chat.attach(server, '/chat/ws')
  chat.attach(server, '/ws/:id')
  if (first === 'chat') neighbour.join(server)
  return { server, port: await listen(server) }
}

describe.each(neighbours)('beside $name', (neighbour) => {
  it.each(['chat', 'neighbour'] as const)('both work, %s first', async (first) => {
    const { chat, friendship } = await makeChat()
    const { port } = await serve(chat, neighbour, first)
    const control = await controlPair(port, friendship)
    await neighbour.check(port)
    const old = peer(`ws://127.0.0.1:${port}/ws/ann`, { headers: { 'x-user': 'ann' } })
    await old.opened
    expect(status(await raw(port, handshake('/ws/ann', { 'x-user': 'ben' })))).toBe(403)
    expect(await control.check()).toEqual(control.expected)
    await neighbour.check(port)
  })

  it('the neighbour works on after the chat has gone', async () => {
    const { chat } = await makeChat()
    const { port, server } = await serve(chat, neighbour, 'chat')
    await chat.close({ drainMs: 0 })
    await neighbour.check(port)
    expect(server.listenerCount('upgrade')).toBe(1)
  })
})

describe('beside express-ws', () => {
  it.each(['chat', 'express-ws'])('both work, %s first', async (first) => {
    const { chat, friendship } = await makeChat()
    const app = express()
    const server = createServer(app)
    if (first === 'chat') chat.attach(server, '/chat/ws')
    // The types of express-ws are those of Express 4.
    const { app: ws } = expressWs(app as never, server)
    if (first !== 'chat') chat.attach(server, '/chat/ws')
    ws.ws('/echo/:name', (socket, request) => {
      socket.on('message', (data) => socket.send(`${request.params.name} ${data}`))
    })
    const port = await listen(server)
    const control = await controlPair(port, friendship)
    const client = peer(`ws://127.0.0.1:${port}/echo/ann`)
    await client.opened
    client.socket.send('ping')
    expect(await client.next((text) => text)).toBe('ann ping')
    expect(await control.check()).toEqual(control.expected)
  })
})

describe('alone, or beside another chat', () => {
  it('answers 404 where nobody else listens', async () => {
    const { chat } = await makeChat()
    const server = createServer()
    chat.attach(server, '/chat/ws')
    const port = await listen(server)
    expect(status(await raw(port, handshake('/elsewhere')))).toBe(404)
    expect(status(await raw(port, handshake('/chat/ws/')))).toBe(404)
  })

  it('two chats share a server, each on its path, and one may go', async () => {
    const [one, two] = [await makeChat(), await makeChat()]
    const server = createServer()
    one.chat.attach(server, '/one')
    two.chat.attach(server, '/two')
    const port = await listen(server)
    const controls = [await controlPair(port, one.friendship, '/one'), await controlPair(port, two.friendship, '/two')]
    for (const control of controls) expect(await control.check()).toEqual(control.expected)
    expect(status(await raw(port, handshake('/three')))).toBe(404)
    await one.chat.close({ drainMs: 0 })
    expect(status(await raw(port, handshake('/one')))).toBe(404)
    const left = await controlPair(port, two.friendship, '/two')
    expect(await left.check()).toEqual(left.expected)
  })

  it('leaves the pages of an app on the path of a socket alone', async () => {
    const { chat, friendship } = await makeChat()
    const app = express()
    app.get('/chat', (_request, response) => void response.send('a page'))
    app.post('/chat', (_request, response) => void response.status(201).end())
    const server = createServer(app)
    chat.attach(server, '/chat')
    const port = await listen(server)
    const page = await fetch(`http://127.0.0.1:${port}/chat`)
    expect([page.status, await page.text()]).toEqual([200, 'a page'])
    expect((await fetch(`http://127.0.0.1:${port}/chat`, { method: 'POST' })).status).toBe(201)
    expect((await fetch(`http://127.0.0.1:${port}/chat`, { method: 'PUT' })).status).toBe(405)
    const control = await controlPair(port, friendship, '/chat')
    expect(await control.check()).toEqual(control.expected)
  })

  it('answers 426 from behind an app that knows nothing of the path', async () => {
    const { chat } = await makeChat()
    const server = express().listen(0, '127.0.0.1')
    chat.attach(server, '/chat/ws')
    const port = await ended(server)
    const answer = await fetch(`http://127.0.0.1:${port}/chat/ws`)
    expect(answer.status).toBe(426)
    expect((await fetch(`http://127.0.0.1:${port}/other`)).status).toBe(404)
  })
})
