import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ServerLimits, Store, WsRouter } from '@kithwire/server'
import { friendsOf, name, type ServerPlan, type World } from '../messages.js'
import { listen, type Running, type Start, userOf } from './peer.js'

/**
 * What a load from one address, of users who do nothing but write, would trip over. No work is saved by raising them:
 * every frame, byte and item is counted all the same.
 */
const LIMITS: Partial<ServerLimits> = {
  connectionsPerAddress: 1e6,
  handshakeRate: 1e6,
  handshakeBurst: 1e6,
  pendingHellos: 1e6,
  rate: 1e6,
  burst: 1e6,
  frameRate: 1e6,
  frameBurst: 1e6,
  byteRate: 1e9,
  byteBurst: 1e9,
}

/** Friendships that are asked for at once. */
const AT_ONCE = 64

const load = (plan: ServerPlan, file: string) =>
  import(pathToFileURL(join(plan.root, 'packages/server/dist', `${file}.js`)).href)

async function serve(plan: ServerPlan, store: Store): Promise<Running> {
  const server: typeof import('@kithwire/server') = await load(plan, 'index')
  const chat = new server.WsRouter({ store, authenticate: ({ url }) => userOf(url), limits: LIMITS })
  const http = createServer()
  chat.attach(http, '/chat/ws')
  const conversations = plan.world && (await befriend(chat, plan.world))
  await listen(http, plan)
  return conversations ? { conversations } : {}
}

async function befriend(chat: WsRouter, world: World): Promise<string[]> {
  const friends = friendsOf(world)
  const conversations: string[] = []
  for (let first = 0; first < friends.length; first += AT_ONCE) {
    const made = friends.slice(first, first + AT_ONCE).map(async ([one, other]) => {
      const { id } = await chat.friendships.request(name(other), name(one))
      await chat.friendships.accept(name(one), id)
      return id
    })
    conversations.push(...(await Promise.all(made)))
  }
  return conversations
}

export const kithwireMemory: Start = async (plan) => {
  const { MemoryStore }: typeof import('@kithwire/server') = await load(plan, 'index')
  return serve(plan, new MemoryStore())
}

const onSqlite =
  (options: { thread?: boolean }): Start =>
  async (plan) => {
    const { sqlite }: typeof import('@kithwire/server/sqlite') = await load(plan, 'sqlite')
    return serve(plan, sqlite(join(plan.data, 'chat.db'), options))
  }

export const kithwireSqlite = onSqlite({})
export const kithwireSqliteThreaded = onSqlite({ thread: true })

export const kithwireMongo: Start = async (plan) => {
  const { mongo }: typeof import('@kithwire/server/mongo') = await load(plan, 'mongo')
  const mongoose = createRequire(import.meta.url)('mongoose') as typeof import('mongoose')
  const connection = await mongoose.createConnection(plan.mongo!).asPromise()
  return serve(plan, mongo({ connection }))
}
