import { createServer } from 'node:http'
import { MemoryStore, WsRouter } from '@kithwire/server'

/** A server for a process that may open few files. Says its port. */
const chat = new WsRouter({ store: new MemoryStore(), legacy: 'open', log: () => {} })
const server = createServer()
chat.attach(server, '/ws/:id')
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
