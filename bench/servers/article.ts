import { createServer } from 'node:http'
import expressWs from 'express-ws'
import express from 'express4'
import mongoose from 'mongoose'
import type { WebSocket } from 'ws'
import { numberOf } from '../load/line.js'
import { friendsOf } from '../messages.js'
import { listen, type Start } from './peer.js'

type Client = WebSocket & { isAlive?: boolean }

/**
 * The article's design on its own stack: `new Message(message).save()`, then a look for the receiver's one socket. Its
 * clients learn nothing of what became of a message; here they are told when it was saved, or nothing could be counted.
 */
export const article: Start = async (plan) => {
  const connection = await mongoose.createConnection(plan.mongo!).asPromise()
  const { ObjectId } = mongoose.Schema.Types
  const schema = new mongoose.Schema(
    {
      friend: { type: ObjectId, ref: 'Friend', required: true },
      from: { type: String, required: true },
      to: { type: String, required: true },
      type: { type: String, enum: ['text', 'emoji', 'file'], default: 'text' },
      content: { type: String, required: true },
    },
    { timestamps: true },
  )
  const Message = connection.model('Message', schema)
  await Message.init()
  const clients = new Map<string, Client>()
  const app = express()
  const server = createServer(app)
  const { app: sockets } = expressWs(app as never, server)
  sockets.ws('/ws/:id', (client: Client, request) => {
    client.isAlive = true
    clients.set(String(request.params.id), client)
    client.on('pong', () => {
      client.isAlive = true
    })
    client.on('error', () => {})
    client.on('message', async (data) => {
      const message = JSON.parse(String(data))
      await new Message(message).save()
      const to = clients.get(message.to)
      if (to) to.send(JSON.stringify(message))
      client.send(JSON.stringify({ ack: numberOf(message.content) }))
    })
  })
  setInterval(() => {
    for (const [id, client] of clients) {
      if (!client.isAlive) {
        clients.delete(id)
        client.terminate()
      } else {
        client.isAlive = false
        client.ping()
      }
    }
  }, 30_000)
  await listen(server, plan)
  return {
    conversations: plan.world ? friendsOf(plan.world).map(() => new mongoose.Types.ObjectId().toHexString()) : [],
  }
}
