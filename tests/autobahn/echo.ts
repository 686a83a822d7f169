import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SocketLike } from '@kithwire/protocol'
import { MemoryStore, type ServerLimits, WsRouter } from '@kithwire/server'
import type { WebSocket } from 'ws'

type HandleUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, done: (ws: WebSocket) => void) => void

/** What the test replaces inside a mounted server. None of it is public. */
interface Inside {
  core: { acceptLegacy(socket: SocketLike): void }
  handshake: { parts: { upgrader: { server: { handleUpgrade: HandleUpgrade } } } }
}

/**
 * An echo behind the shipped path of a socket: the mounted server, its handshake, its options of the WebSocket layer
 * and its `WsSocket`. Only the core, which would speak a protocol of its own, is replaced. Binary frames are echoed
 * beside it, since a `WsSocket` tells of them and throws their bytes away.
 */
export async function serveEcho(limits: Partial<ServerLimits>): Promise<{ address: string; close(): Promise<void> }> {
  // The suite opens hundreds of sockets a second from one address, which has nothing to do with RFC 6455.
  const admitted = { handshakeRate: 10_000, handshakeBurst: 10_000, ...limits }
  const chat = new WsRouter({ store: new MemoryStore(), legacy: 'open', log: () => {}, limits: admitted })
  const { core, handshake } = chat as unknown as Inside
  core.acceptLegacy = (socket) =>
    socket.listen({
      message: (text) => {
        if (text !== null) socket.send(text)
      },
      close() {},
    })
  const { server: layer } = handshake.parts.upgrader
  const handleUpgrade = layer.handleUpgrade.bind(layer)
  layer.handleUpgrade = (request, socket, head, done) =>
    handleUpgrade(request, socket, head, (ws) => {
      // Its owner is told without listeners, so that one of ours would not be called.
      const emit = ws.emit.bind(ws)
      ws.emit = (event: string | symbol, ...args: unknown[]) => {
        if (event === 'message' && args[1] === true) ws.send(args[0] as Buffer)
        return emit(event, ...args)
      }
      done(ws)
    })
  const server = createServer()
  chat.attach(server, '/ws/:id')
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}/ws/echo`,
    close: async () => {
      await chat.close({ drainMs: 0 })
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
