import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MemoryStore, WsRouter, type WsRouterOptions } from '@kithwire/server'
import { afterEach } from 'vitest'

const cleanups: (() => unknown)[] = []

/** Runs after the test, the last one first. */
export const cleanup = (run: () => unknown) => void cleanups.push(run)

afterEach(async () => {
  for (const run of cleanups.splice(0).reverse()) await run()
})

/** Starts a server on a free port of the loopback and ends it, with all its sockets, after the test. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return ended(server)
}

/** The port of a server that listens; it is ended after the test. */
export async function ended(server: Server): Promise<number> {
  if (!server.listening) await new Promise<void>((resolve) => server.once('listening', resolve))
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  cleanup(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

/** Who the request says it is, by `x-user`, a `user=` cookie or the token; an app with the simplest of sessions. */
export const byName: WsRouterOptions['authenticate'] = (request, { token }) => {
  const cookie = /(?:^|; )user=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]
  return token ?? (request.headers['x-user'] as string | undefined) ?? (cookie ? decodeURIComponent(cookie) : null)
}

export const quiet: WsRouterOptions['log'] = () => {}

/** A chat with ann and ben as friends; it is closed after the test. */
export async function makeChat(options: Partial<WsRouterOptions> = {}) {
  const chat = new WsRouter({
    store: new MemoryStore(),
    authenticate: byName,
    log: quiet,
    ...options,
  })
  cleanup(() => chat.close({ drainMs: 0 }))
  const friendship = options.friendships ? '' : await befriend(chat, 'ann', 'ben')
  return { chat, friendship }
}

export async function befriend(chat: WsRouter, one: string, other: string): Promise<string> {
  const { id } = await chat.friendships.request(one, other)
  await chat.friendships.accept(other, id)
  return id
}

/** The same on a plain http server, with v1 on `/chat/ws` and bare frames on `/ws/:id`. */
export async function serveChat(options: Partial<WsRouterOptions> = {}, handler?: RequestListener) {
  const { chat, friendship } = await makeChat(options)
  const server = createServer(handler ?? ((request, response) => chat.router(request, response)))
  chat.attach(server, '/chat/ws')
  chat.attach(server, '/ws/:id')
  const port = await listen(server)
  return { chat, friendship, server, port }
}
