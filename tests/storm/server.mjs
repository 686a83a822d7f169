// A server as an app runs it, in a process of its own: PORT and DB say where. It makes everything ready, listens when its
// parent says so, and on SIGTERM stops listening, drains for DRAIN ms and ends.
import { createServer } from 'node:http'
import { WsRouter } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'

const store = sqlite(process.env.DB)
await store.ready()
const chat = new WsRouter({
  store,
  authenticate: (_request, { token }) => (token ? { id: token } : null),
  // All clients have one address here; every other limit is the default.
  limits: { connectionsPerAddress: 1e6, handshakeRate: 1e6, handshakeBurst: 1e6 },
  log: () => {},
})
const server = createServer()
chat.attach(server, '/chat/ws')

const listen = () => server.listen(Number(process.env.PORT), '127.0.0.1')
server.on('listening', () => process.send?.('listening'))
// The one before has not let go of the port yet.
server.on('error', (error) => (error.code === 'EADDRINUSE' ? setTimeout(listen, 5) : process.exit(1)))
process.once('message', listen)
process.once('SIGTERM', async () => {
  server.close()
  await chat.close({ drainMs: Number(process.env.DRAIN) })
  await store.close()
  process.exit(0)
})
process.send?.('ready')
