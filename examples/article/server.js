/**
 * The server of the article, on Kithwire: `/ws/:id` for bare IMessage frames, and what it stored under `DATA`.
 *
 * As in the article, whoever writes an id into the path is that user (`legacy: 'open'`). Fine to try it out; for real
 * users give `authenticate` instead, and the same clients go on working.
 */
import { join } from 'node:path'
import WsRouter from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'
import express from 'express'
import { messages } from './messages.js'
import { seed } from './seed.js'

const { PORT = '4000', HOST, DATA = 'data' } = process.env

const store = sqlite(join(DATA, 'chat.db'))
await seed(store.friendships)

const app = express()
const chat = WsRouter('/ws/:id', app, undefined, { store, legacy: 'open' })
app.get('/messages/:id', messages(chat))

const server = app.listen(Number(PORT), /** @type {string} */ (HOST), (error) => {
  if (error) throw error
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`http://${HOST ?? 'localhost'}:${port}`)
})

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop)

/** Clients are told to come back later, what is under way is stored, and the process ends by itself. */
async function stop() {
  server.close()
  await chat.close({ drainMs: 2_000 })
  server.closeAllConnections()
  await store.close()
}
