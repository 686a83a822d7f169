/**
 * The bootstrap of the article, on Kithwire, with its own stack: inversify, Express and mongoose. What was there stays
 * as it was: models, collections, controllers and clients.
 *
 * As in the article, whoever writes an id into the path is that user (`legacy: 'open'`). Fine to try it out; for real
 * users give `authenticate` instead, and the same clients go on working.
 */
import 'reflect-metadata'
import WsRouter from '@kithwire/server'
import { mongo } from '@kithwire/server/mongo'
import { InversifyExpressServer } from 'inversify-express-utils'
import mongoose from 'mongoose'
import { container } from './messages-controller.js'
import { seed } from './seed.js'

const { PORT = '4000', HOST, MONGO_URL = 'mongodb://127.0.0.1:27017/kithwire-example' } = process.env

await mongoose.connect(MONGO_URL)
await seed()

const store = mongo({ connection: mongoose.connection })
await store.ready()

/** @type {import('@kithwire/server').WsRouter} */
let chat
const server = new InversifyExpressServer(container)
server.setConfig((app) => {
  chat = WsRouter('/ws/:id', app, undefined, { store, legacy: 'open' })
})
const listening = server.build().listen(Number(PORT), /** @type {string} */ (HOST), () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (listening.address())
  console.log(`http://${HOST ?? 'localhost'}:${port}`)
})

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop)

/** Clients are told to come back later, what is under way is stored, and the process ends by itself. */
async function stop() {
  listening.close()
  await chat.close({ drainMs: 2_000 })
  listening.closeAllConnections()
  await store.close()
  await mongoose.disconnect()
}
