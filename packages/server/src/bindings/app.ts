import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Middleware } from './middleware.js'
import type { HttpServer } from './node-http.js'

/** What Kithwire needs of an app of Express 4 and 5, Connect and their kin, from which a server is made later. */
export interface App {
  use(middleware: Middleware): unknown
  /** Makes a server of the app and starts it. */
  listen?: unknown
}

/**
 * Calls `found` with every server that an app turns out to serve: at once when the app's own `listen` makes it, or at
 * the first request when somebody else makes it, as by `http.createServer(app)`.
 *
 * @param matches whether a request is an upgrade that `found` would have claimed
 */
export function onServer(
  app: App,
  found: (server: HttpServer) => void,
  matches: (request: IncomingMessage) => boolean,
): void {
  const { listen } = app
  if (typeof listen === 'function')
    app.listen = function (this: unknown, ...args: unknown[]): unknown {
      const server = listen.apply(this, args)
      if (isServer(server)) found(server)
      return server
    }
  app.use((request: IncomingMessage, _response: ServerResponse, next: () => void) => {
    const { server } = request.socket as { server?: unknown }
    if (isServer(server)) {
      found(server)
      if (request.headers.upgrade?.toLowerCase() === 'websocket' && matches(request))
        return lateUpgrade(server, request)
    }
    return next()
  })
}

/**
 * While nobody listens for upgrades, Node hands one out as a plain request; the first one of an app that was never
 * listened for would be lost. So its socket is taken back from the request, as Node itself does for an upgrade. It
 * stays tied to its response, which is never sent: a server that closes its idle connections must not think it idle.
 */
function lateUpgrade(server: HttpServer, request: IncomingMessage): void {
  const { socket } = request
  for (const event of ['data', 'end', 'drain', 'error', 'timeout']) socket.removeAllListeners(event)
  socket.on('error', () => {})
  // The parser is still inside this request, and must have left it before somebody else reads the socket.
  setImmediate(() => server.emit('upgrade', request, socket, Buffer.alloc(0)))
}

const isServer = (value: unknown): value is HttpServer =>
  typeof value === 'object' && value !== null && typeof (value as HttpServer).listenerCount === 'function'
