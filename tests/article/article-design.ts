import { createServer } from 'node:http'
import expressWs from 'express-ws'
import express from 'express4'
import type { WebSocket } from 'ws'
import { cleanup, listen } from '../integration/serve.js'

type Client = WebSocket & { isAlive?: boolean }

/** A server of the article's design, written anew: what its clients were made for, and what they may rely on. */
export async function articleDesign() {
  const stored: unknown[] = []
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
    client.on('message', async (data) => {
      const message = JSON.parse(String(data))
      // In the place of `new Message(message).save()`.
      await Promise.resolve(stored.push(message))
      clients.get(message.to)?.send(JSON.stringify(message))
    })
  })
  const timer = setInterval(() => {
    for (const [id, client] of clients) {
      if (!client.isAlive) {
        clients.delete(id)
        client.terminate()
      } else {
        client.isAlive = false
        client.ping()
      }
    }
  }, 50)
  cleanup(() => clearInterval(timer))
  const port = await listen(server)
  return { url: `ws://127.0.0.1:${port}/ws`, stored: async () => stored.length }
}
