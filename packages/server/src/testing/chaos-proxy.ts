import { createServer, connect as dial } from 'node:net'
import { KithwireError, type Runtime, systemRuntime } from '@kithwire/protocol'
import { type ChaosConnection, type ChaosWeather, type CutMode, Link } from './chaos-connection.js'

/** What happens to one connection from its first byte on. */
export interface ChaosPlan extends ChaosWeather {
  /** Resets it before anything goes through and without asking the server, as if that were down. @default false */
  refuse?: boolean
}

export interface ChaosProxyOptions {
  /** Where the real server listens, on 127.0.0.1 unless `host` says otherwise. */
  port: number
  host?: string
  /** Asked once for each connection, numbered from 0. @default no trouble at all */
  plan?: (connection: number) => ChaosPlan
  /** Clocks, timers and the chance in `jitterMs`. @default systemRuntime */
  runtime?: Runtime
}

/** A TCP proxy that breaks connections on purpose, for testing an app and its chat together. */
export interface ChaosProxy {
  /** The port it listens on, on 127.0.0.1. */
  readonly port: number
  /** How many connections it has had, refused ones included. */
  readonly connections: number
  /** The connections through which bytes still go, oldest first. */
  readonly open: readonly ChaosConnection[]
  /** Bytes that went through, of all connections. */
  readonly bytes: { readonly toServer: number; readonly toClient: number }
  /** Replaces the plan for connections to come. */
  plan(plan: (connection: number) => ChaosPlan): void
  /** Ends all connections that are open now. @param mode 'reset' by default */
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
    const number = connections++
    const { refuse = false, ...weather } = plan(number)
    if (refuse) {
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const upstream = dial({ port, host, allowHalfOpen: true })
    const link = new Link(number, client, upstream, runtime, {
      count: (direction, count) => {
        bytes[direction] += count
      },
      gone: () => links.delete(link),
    })
    links.add(link)
    link.weather(weather)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const cut = (mode?: CutMode) => {
    for (const link of [...links]) link.cut(mode)
  }
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    bytes,
    cut,
    get connections() {
      return connections
    },
    get open() {
      return [...links].filter(({ state }) => state === 'open')
    },
    plan: (next) => {
      plan = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        cut('reset')
        // A FIN that was sent may still wait for its answer.
        for (const link of [...links]) link.destroy()
      }),
  }
}
