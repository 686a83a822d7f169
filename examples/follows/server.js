/**
 * An app on mongoose whose users follow each other, with friend chat beside it.
 *
 *     curl -X PUT    -H 'Authorization: Bearer <your id>' localhost:3000/follows/<other id>
 *     curl -X DELETE -H 'Authorization: Bearer <your id>' localhost:3000/follows/<other id>
 */
import { WsRouter } from '@kithwire/server'
import { mongo } from '@kithwire/server/mongo'
import express from 'express'
import mongoose from 'mongoose'
import { Follow } from './follow.js'
import { conversationOf, friendships } from './friendships.js'

const { PORT = '3000', HOST = '127.0.0.1' } = process.env
const { MONGODB_URI = 'mongodb://127.0.0.1:27017/follows?replicaSet=rs0' } = process.env

await mongoose.connect(MONGODB_URI)
await Follow.init()

/** Stands for the app's own sessions. @param {string | undefined} token */
const userOf = (token) => (token !== undefined && mongoose.isObjectIdOrHexString(token) ? { id: token } : null)

const store = mongo({ connection: mongoose.connection, collections: { friends: false } })
await store.ready()
const chat = new WsRouter({ store, friendships, authenticate: (_request, { token }) => userOf(token) })

const app = express()
app.use('/chat', chat.router)
app.all('/follows/:id', async (req, res) => {
  const follower = userOf(req.get('authorization')?.replace('Bearer ', ''))?.id
  const followee = userOf(req.params.id)?.id
  if (!follower || !followee || follower === followee) return void res.sendStatus(400)
  if (req.method === 'PUT') await Follow.updateOne({ follower, followee }, {}, { upsert: true })
  else if (req.method === 'DELETE') await Follow.deleteOne({ follower, followee })
  else return void res.sendStatus(405)
  // Who may chat is remembered for a while; this makes the change count at once.
  const conversation = conversationOf(follower, followee)
  await chat.membershipChanged(conversation, [follower, followee])
  res.json({ conversation, open: (await friendships.members(conversation)) !== null })
})

const server = app.listen(Number(PORT), HOST, (error) => {
  if (error) throw error
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`http://${HOST}:${port}`)
})
chat.attach(server, '/chat/ws')

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop)

async function stop() {
  server.close()
  await chat.close({ drainMs: 2_000 })
  server.closeAllConnections()
  await store.close()
  await mongoose.disconnect()
}
