import { createServer } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { listen, type Start, userOf } from './peer.js'

/** The least that could be called a chat: passes on what it gets, and says that it did. Stores nothing. */
export const relay: Start = async (plan) => {
  const sockets = new Map<string, WebSocket>()
  const server = createServer()
  new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false }).on(
    'connection',
    (socket, request) => {
      const from = userOf(request.url)
      sockets.set(from, socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.get(from) === socket && sockets.delete(from))
      socket.on('message', (data) => {
        const { to, id, body } = JSON.parse(String(data))
        sockets.get(to)?.send(JSON.stringify({ from, body }))
        socket.send(JSON.stringify({ ack: id }))
      })
    },
  )
  await listen(server, plan)
  return {}
}
