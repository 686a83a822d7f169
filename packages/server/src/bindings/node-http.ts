import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** What can be upgraded: an http or https server, or anything of Node that emits `request` and `upgrade` like one. */
export type HttpServer = Pick<Server, 'emit' | 'on' | 'removeListener' | 'listeners' | 'listenerCount'>

/** One path on one server. */
export interface Claim {
  /** Whether this request is for us. Asked for every upgrade and request, so it must be quick. */
  matches(request: IncomingMessage): boolean
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

const ours = new WeakSet<(...args: never[]) => void>()

/**
 * Takes the upgrades of one path, and no other, from a server that others also listen on. Listeners cannot do it: one
 * that is not ours may answer 400 to every path but its own, or close what nobody answered. So `emit` is asked first.
 * Returns what undoes it.
 */
export function claim(server: HttpServer, { matches, upgrade }: Claim): () => void {
  let active = true
  const emit = server.emit
  const claimed = function (this: unknown, event: string | symbol, ...args: unknown[]): boolean {
    if (active && event === 'upgrade' && matches(args[0] as IncomingMessage)) {
      upgrade(args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer)
      return true
    }
    if (active && event === 'request' && matches(args[0] as IncomingMessage)) {
      const handled = server.listenerCount('request') > 0
      upgradeRequired(args[0] as IncomingMessage, args[1] as ServerResponse, handled)
      if (!handled) return true
    }
    return emit.apply(server, [event, ...args] as unknown as Parameters<typeof emit>)
  }
  server.emit = claimed as typeof emit
  // Node calls something an upgrade only while somebody listens for it.
  server.on('upgrade', unclaimed)
  ours.add(unclaimed)
  return () => {
    if (!active) return
    active = false
    server.removeListener('upgrade', unclaimed)
    // Somebody may have wrapped it after us; then ours stays in the chain and passes everything on.
    if (server.emit === claimed) server.emit = emit
  }

  /** What no claim took, and nobody but us listens for, would hang: answer what an http server answers. */
  function unclaimed(_request: IncomingMessage, socket: Duplex): void {
    const listeners = server.listeners('upgrade') as ((...args: never[]) => void)[]
    if (listeners[0] === unclaimed && listeners.every((listener) => ours.has(listener)))
      refuseUpgrade(socket, 404, 'Nothing is upgraded here.')
  }
}

/**
 * A plain request on the path of a socket. The app's own routes go first, since it may serve a page there; what it
 * does not know is told what stands here instead of a bare 404.
 */
function upgradeRequired(request: IncomingMessage, response: ServerResponse, handled: boolean): void {
  const status = request.method === 'GET' || request.method === 'HEAD' ? 426 : 405
  const headers = status === 426 ? { Connection: 'Upgrade, close', Upgrade: 'websocket' } : { Allow: 'GET' }
  if (!handled) {
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers })
    response.end('Expected a WebSocket handshake.\n')
    return
  }
  const writeHead = response.writeHead
  response.writeHead = function (this: ServerResponse, code: number, ...rest: unknown[]) {
    if (code !== 404) return writeHead.apply(this, [code, ...rest] as unknown as Parameters<typeof writeHead>)
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value)
    const last = rest.at(-1)
    const given = typeof last === 'object' && last !== null ? [last] : []
    return writeHead.apply(this, [status, ...given] as unknown as Parameters<typeof writeHead>)
  } as typeof writeHead
}

/** Answers an upgrade with a plain response, and ends the connection. */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = `${text}\n`
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  socket.once('finish', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** A timer that does nothing, for callers who expect one to stop. It keeps no process alive. */
export function idleInterval(ms: number): NodeJS.Timeout {
  return setInterval(() => {}, ms).unref()
}
