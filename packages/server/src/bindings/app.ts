import type { IncomingMessage } from 'node:http'
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
 */
export function onServer(app: App, found: (server: HttpServer) => void): void {
  const { listen } = app
  if (typeof listen === 'function')
    app.listen = function (this: unknown, ...args: unknown[]): unknown {
      const server = listen.apply(this, args)
      if (isServer(server)) found(server)
      return server
    }
  app.use((request: IncomingMessage, _response, next) => {
    const { server } = request.socket as { server?: unknown }
    if (isServer(server)) found(server)
    next()
  })
}

const isServer = (value: unknown): value is HttpServer =>
  typeof value === 'object' && value !== null && typeof (value as HttpServer).listenerCount === 'function'
