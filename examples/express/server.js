import { join } from 'node:path'
// chat
import { WsRouter } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'
// end of chat
import express from 'express'
import { pages } from './app/pages.js'
import { signIn, userOfSession } from './app/sessions.js'

const { PORT = '3000', HOST = '127.0.0.1', DATA = 'data' } = process.env

const app = express()
app.post('/sign-in', signIn)
app.use(await pages())

// chat
const chat = new WsRouter({ store: sqlite(join(DATA, 'chat.db')), authenticate: (req) => userOfSession(req) })
app.use('/chat', chat.router)
const server = app.listen(Number(PORT), HOST, started)
chat.attach(server, '/chat/ws')
// end of chat

/** @param {Error} [error] */
function started(error) {
  if (error) throw error
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`http://${HOST}:${port}`)
}
