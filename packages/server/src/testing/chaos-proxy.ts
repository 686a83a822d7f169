import { createServer, connect as dial, type Socket } from 'node:net'
import { KithwireError, type Runtime, systemRuntime } from '@kithwire/protocol'

/**
 * How a connection ends: `close` sends FIN both ways, `reset` sends RST both ways, `half-open` lets nothing through
 * any more in either direction and tells nobody, as a dead mobile link does.
 */
export type CutMode = 'close' | 'reset' | 'half-open'

/** What is done to one direction of one connection. */
export interface Weather {
  /** Ms that each chunk waits; chunks never overtake each other. @default 0 */
  delayMs?: number
  /** Bytes let through at a time, one piece each `dripMs`. @default everything that came */
  dripBytes?: number
  /** Ms between two pieces. @default 1 */
  dripMs?: number
  /** Ends the connection as soon as this many bytes of this direction went through: exactly these, not one more. */
  cutAt?: number
  /** How it ends. @default 'reset' */
  cutMode?: CutMode
}

export interface ChaosPlan {
  toServer?: Weather
  toClient?: Weather
}

export interface ChaosProxyOptions {
  /** Where the real server listens, on 127.0.0.1 unless `host` says otherwise. */
  port: number
  host?: string
  /** Asked once for each connection, numbered from 0. @default no trouble at all */
  plan?: (connection: number) => ChaosPlan
  runtime?: Runtime
}

/** A TCP proxy that breaks connections on purpose, for testing an app and its chat together. */
export interface ChaosProxy {
  /** The port it listens on, on 127.0.0.1. */
  readonly port: number
  /** How many connections it has had. */
  readonly connections: number
  /** Bytes that went through, of all connections. */
  readonly bytes: { toServer: number; toClient: number }
  /** Replaces the plan for connections to come. */
  plan(plan: (connection: number) => ChaosPlan): void
  /** Ends all connections that are open now. */
  cut(mode?: CutMode): void
  /** Ends everything and stops listening. */
  close(): Promise<void>
}

/**
 * Starts the proxy. Point the client at its port; each connection is carried to the server under the plan's weather.
 *
 * @throws KithwireError `bad_option` if the port is not one.
 */
export async function chaosProxy(options: ChaosProxyOptions): Promise<ChaosProxy> {
  const { port, host = '127.0.0.1', runtime = systemRuntime } = options
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new KithwireError('bad_option', `\`port\`: expected that of the real server, 1 to 65535, came ${port}.`)
  let plan: (connection: number) => ChaosPlan = options.plan ?? (() => ({}))
  let connections = 0
  const bytes = { toServer: 0, toClient: 0 }
  const links = new Set<Link>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = dial({ port, host, allowHalfOpen: true })
    const link = new Link(client, upstream, () => links.delete(link))
    links.add(link)
    const { toServer = {}, toClient = {} } = plan(connections++)
    carry(link, client, upstream, toServer, runtime, (count) => (bytes.toServer += count))
    carry(link, upstream, client, toClient, runtime, (count) => (bytes.toClient += count))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    bytes,
    get connections() {
      return connections
    },
    plan: (next) => {
      plan = next
    },
    cut: (mode = 'reset') => {
      for (const link of [...links]) link.end(mode)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const link of [...links]) link.end('reset')
      }),
  }
}

/** Bytes that may wait for a reader before the proxy stops reading on its behalf, so that the sender feels it. */
const HIGH_WATER = 65_536

/** Two sockets that live and die together, unless they are half-open. */
class Link {
  /** Set once nothing may go through any more. */
  over = false

  constructor(
    private readonly client: Socket,
    private readonly upstream: Socket,
    private readonly gone: () => void,
  ) {
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true)
      // A peer that is gone is what this proxy is for; its `close` follows.
      socket.on('error', () => {})
      socket.on('close', () => {
        this.end('reset')
        this.gone()
      })
    }
  }

  end(mode: CutMode): void {
    if (mode === 'half-open') {
      this.over = true
      // Read on and throw away, so that neither side notices by its buffers.
      for (const socket of [this.client, this.upstream]) socket.resume()
      return
    }
    this.over = true
    for (const socket of [this.client, this.upstream]) {
      if (mode === 'close') socket.end()
      else socket.resetAndDestroy()
    }
  }
}

function carry(link: Link, from: Socket, to: Socket, weather: Weather, runtime: Runtime, count: (n: number) => void) {
  const { delayMs = 0, dripBytes = Number.POSITIVE_INFINITY, dripMs = 1, cutMode = 'reset' } = weather
  let left = weather.cutAt ?? Number.POSITIVE_INFINITY
  const waiting: { piece: Buffer; at: number }[] = []
  let ended = false
  let busy = false

  const pump = () => {
    busy = false
    while (!link.over && waiting.length > 0) {
      const { piece, at } = waiting[0]!
      const wait = at - runtime.monotonic()
      if (wait > 0) return later(wait)
      waiting.shift()
      write(piece)
      if (dripBytes !== Number.POSITIVE_INFINITY) return later(dripMs)
    }
    if (ended && !link.over) to.end()
  }
  const later = (ms: number) => {
    busy = true
    runtime.setTimer(pump, ms)
  }
  const write = (piece: Buffer) => {
    const part = piece.subarray(0, left)
    if (part.length === 0) return
    left -= part.length
    count(part.length)
    to.write(part, () => {
      if (left === 0) link.end(cutMode)
    })
  }
  if (left === 0) from.once('connect', () => link.end(cutMode))
  from.on('data', (chunk: Buffer) => {
    if (link.over) return
    const at = runtime.monotonic() + delayMs
    for (let start = 0; start < chunk.length; start += dripBytes)
      waiting.push({ piece: chunk.subarray(start, start + dripBytes), at })
    if (!busy) pump()
    if (to.writableLength > HIGH_WATER && !link.over) {
      from.pause()
      to.once('drain', () => from.resume())
    }
  })
  from.on('end', () => {
    ended = true
    if (!busy) pump()
  })
}
