/** What an app's own strict program sees of the packages. Compiled against the tarballs by consumer.test.ts, never run. */
import { createServer, type IncomingMessage } from 'node:http'
import { type IMessage, KithwireError, type SocketFactory, WsRequest } from '@kithwire/client'
import { decodeClientFrame, encode, type Runtime, systemRuntime } from '@kithwire/protocol'
import { FakeClock, socketPair } from '@kithwire/protocol/testing'
import { type Friendships, MemoryStore, type Store, WsRouter } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'
import * as suites from '@kithwire/server/testing'

export const store: Store = process.env.DATA ? sqlite(process.env.DATA, { thread: false }) : new MemoryStore()
const userOf = (request: IncomingMessage) => (request.headers.cookie ? { id: request.headers.cookie } : null)

/** An app with its own friend table. */
const friendships: Friendships = {
  members: async (conversation) => (conversation === 'pair' ? ['ann', 'ben'] : null),
  of: async (user) => (user === 'ann' ? [{ conversation: 'pair', members: ['ann', 'ben'] }] : []),
}

export const chat = new WsRouter({ store, authenticate: (request) => userOf(request), friendships })
export const server = createServer((request, response) => chat.router(request, response))
chat.attach(server, '/chat/ws')

export async function fromTheServer(): Promise<number> {
  const { seq } = await chat.send({ conversation: 'pair', from: 'ann', content: 'hello', type: 'text' })
  const page = await chat.history('ann', 'pair', { after: 0, limit: 50 })
  return seq + page.items.length
}

export async function fromTheClient(socket: SocketFactory): Promise<number> {
  const client = new WsRequest('ws://127.0.0.1/chat/ws', { token: async () => 'token', socket, runtime })
  const article = new WsRequest('ws://127.0.0.1/ws', 'ann')
  const stop: () => void = client.onMessage((message: IMessage) => show(message))
  client.on('error', (error) => console.error(error.code))
  for await (const message of client.messages()) if (message.from === 'ben') break
  stop()
  const { seq } = await client.send({ conversation: 'pair', content: 'hello' })
  await article.send('pair', 'hello', 'ben', 'emoji')
  // @ts-expect-error: content is a text.
  await client.send({ conversation: 'pair', content: 1 })
  await Promise.all([client.close(), article.close()])
  return seq
}

export const clock: FakeClock = new FakeClock()
export const pair = socketPair
export const runtime: Runtime = systemRuntime
export const frame: string = encode({ t: 'ping', n: 1 })
export const decoded = decodeClientFrame(frame)
export const problem: string | undefined = decoded.ok ? undefined : decoded.problem.code
export const show = (message: IMessage): string => `${message.from}: ${message.content}`
export const isOurs = (error: unknown): error is KithwireError => error instanceof KithwireError
export const conformance = suites.storeConformance

// @ts-expect-error: a server without a store keeps no promise.
export const storeless = () => new WsRouter({ authenticate: () => null })
