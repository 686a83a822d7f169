import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { WsRouterOptions } from '@kithwire/server'
import { expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { cleanup, listen, makeChat } from '../integration/serve.js'
import { findings, lines } from './kithwire.js'

/** An app with Kithwire on `/chat/ws`, and something done to its server afterwards. */
async function app(options: Partial<WsRouterOptions> = {}, change: (server: Server) => void = () => {}) {
  const { chat } = await makeChat(options)
  const server = createServer((_request, response) => void response.writeHead(404).end())
  chat.attach(server, '/chat/ws')
  chat.attach(server, '/ws/:id')
  change(server)
  const port = await listen(server)
  return { port, url: `http://127.0.0.1:${port}/chat/ws` }
}

const found = async (...args: string[]) => lines(await findings('--url', ...args))

/** What comes to an upgrade, after Kithwire was attached. */
function wrapUpgrades(server: Server, run: (socket: Duplex, goOn: () => boolean) => void): void {
  const emit = server.emit
  server.emit = function (this: unknown, event: string, ...args: unknown[]) {
    const goOn = () => emit.apply(server, [event, ...args] as never)
    if (event !== 'upgrade') return goOn()
    run(args[1] as Duplex, goOn)
    return true
  } as typeof emit
}

/** A proxy that knows nothing of upgrades. */
async function plainProxy(to: number): Promise<number> {
  const forward: RequestListener = ({ url, method, headers }, response) => {
    const { connection: _c, upgrade: _u, ...rest } = headers
    const sent = httpRequest({ port: to, host: '127.0.0.1', path: url, method, headers: rest }, (answer) => {
      response.writeHead(answer.statusCode!, { ...answer.headers, server: 'nginx/1.27.0' })
      answer.pipe(response)
    })
    sent.end()
  }
  return listen(createServer(forward))
}

/** A proxy that passes upgrades on under another Host, and says so or not. */
async function renamingProxy(to: number, more: (host: string) => string): Promise<number> {
  const proxy = createServer((_request, response) => void response.writeHead(404).end())
  proxy.on('upgrade', (request, socket: Duplex) => {
    const upstream = connect(to, '127.0.0.1')
    const headers = request.rawHeaders.map((text, index) =>
      index % 2 === 0
        ? `${text}: `
        : `${/^host$/i.test(request.rawHeaders[index - 1]!) ? 'app.internal:8080' : text}\r\n`,
    )
    upstream.write(`GET ${request.url} HTTP/1.1\r\n${headers.join('')}${more(request.headers.host!)}\r\n`)
    for (const [from, into] of [[upstream, socket] as const, [socket, upstream] as const]) {
      from.pipe(into)
      from.on('error', () => into.destroy())
    }
    cleanup(() => upstream.destroy())
  })
  return listen(proxy)
}

it('finds nothing wrong with a server that is as it should be', async () => {
  const { url } = await app()
  expect(await found(url)).toEqual([
    'server good: something for WebSockets answers',
    'upgrade good: a socket opens; without credentials it is closed 4501',
    'origin good: pages of foreign sites are refused',
    'proxy good: forwarded headers of a client are not believed',
    'clock good: the clock of the server agrees with this one',
  ])
})

it('sees a whole handshake with credentials, and that wrong ones are refused', async () => {
  const { url } = await app({ authenticate: (request) => (request.headers.cookie === 'sid=1' ? 'ann' : null) })
  expect(await found(url, '--header', 'Cookie: sid=1')).toContain(
    'upgrade good: a socket opens, and the server says welcome: its store answers',
  )
  expect(await found(url, '--header', 'Cookie: sid=2')).toContain(
    'upgrade problem: a socket opens, and is closed 4501: `authenticate` says no',
  )
  const bearer = await app()
  expect((await found(bearer.url, '--token', 'ann'))[1]).toMatch(/welcome/)
})

it('tells when authenticate fails', async () => {
  const throws = await app({
    authenticate: () => {
      throw new Error('the session store is down')
    },
  })
  expect((await found(throws.url))[1]).toMatch(/upgrade problem: .*1013: `authenticate` threw/)
})

it('tells when nothing answers, or something else', async () => {
  const closed = createServer()
  const port = await listen(closed)
  await new Promise((resolve) => closed.close(resolve))
  expect((await found(`http://127.0.0.1:${port}/ws`))[0]).toMatch(/server problem: nothing answers: .*ECONNREFUSED/)
  const other = await listen(createServer((_request, response) => void response.end('a page')))
  expect(await found(`http://127.0.0.1:${other}/ws`)).toEqual([
    'server warning: something answers with HTTP 200',
    "upgrade problem: HTTP 200, which is not Kithwire's",
    'clock good: the clock of the server agrees with this one',
  ])
})

it('tells a path that was not attached', async () => {
  const { port } = await app()
  expect((await found(`http://127.0.0.1:${port}/chat`))[1]).toBe(
    'upgrade problem: Kithwire is on this server, but not on this path (HTTP 404)',
  )
})

it.each([
  ['destroys them', (socket: Duplex) => socket.destroy(), /upgrade problem: the connection was destroyed without/],
  [
    'answers them too',
    (socket: Duplex, goOn: () => boolean) => {
      goOn()
      setTimeout(() => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), 0)
    },
    /upgrade problem: .*broke/,
  ],
])('tells another listener for upgrades that %s', async (_name, listener, expected) => {
  // It opens for long enough to be broken.
  const authenticate = () => 'ann'
  const { url } = await app({ authenticate }, (server) => wrapUpgrades(server, listener))
  expect((await found(url))[1]).toMatch(expected)
})

it('tells another library that answers every path but its own', async () => {
  const server = createServer()
  const other = new WebSocketServer({ server, path: '/other' })
  cleanup(() => other.close())
  const port = await listen(server)
  const url = `http://127.0.0.1:${port}/chat/ws`
  server.on('request', (_request, response) => void response.end())
  expect((await found(url))[1]).toBe("upgrade problem: HTTP 400, which is not Kithwire's")
})

it('tells another WebSocket server on the path, whatever it does about subprotocols', async () => {
  for (const handleProtocols of [undefined, () => false as const]) {
    const server = createServer((_request, response) => void response.end())
    const other = new WebSocketServer({ server, ...(handleProtocols && { handleProtocols }) })
    cleanup(() => other.close())
    const port = await listen(server)
    expect((await found(`http://127.0.0.1:${port}/chat/ws`))[1]).toMatch(
      handleProtocols ? /opened without kithwire.v1/ : /nobody answers on it/,
    )
  }
})

it('tells a proxy that passes no upgrades on, also beside the app itself', async () => {
  const { port, url } = await app()
  const proxy = `http://127.0.0.1:${await plainProxy(port)}/chat/ws`
  const [server, upgrade, direct] = await findings('--url', proxy, '--direct', url)
  expect(server!.found).toBe('something for WebSockets answers, through a proxy (nginx)')
  expect(upgrade).toMatchObject({ state: 'problem', advice: expect.stringContaining('proxy_set_header Upgrade') })
  expect(direct).toMatchObject({ check: 'proxy', found: expect.stringContaining('the app itself answers') })
  expect(lines(await findings('--url', url, '--direct', url))[2]).toBe('proxy good: the proxy passes upgrades on')
})

it('tells a proxy that changes the host, and is content once it is trusted and says so', async () => {
  const say = (host: string) => `X-Forwarded-Host: ${host}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-For: 1.2.3.4\r\n`
  const untrusting = await app()
  const renamed = await renamingProxy(untrusting.port, say)
  const at = (port: number) => `http://127.0.0.1:${port}/chat/ws`
  const [, upgrade] = await findings('--url', at(renamed))
  expect(upgrade).toMatchObject({ state: 'problem', found: 'a page of this very host is refused (HTTP 403)' })
  const trusting = await app({ trustProxy: 1 })
  const told = await found(at(await renamingProxy(trusting.port, say)))
  expect(told[1]).toMatch(/upgrade good/)
  expect(told).toContain('proxy good: forwarded headers of a client are not believed')
})

it('tells that forwarded headers of anybody are believed', async () => {
  const { url } = await app({ trustProxy: 1 })
  expect(await found(url)).toContain('proxy warning: a client can say by X-Forwarded-Host what host it asked for')
})

it('tells which origins are let in', async () => {
  const { url } = await app({ origins: ['https://app.example.com'] })
  const origins = 'https://app.example.com,https://www.example.com'
  expect(await found(url, '--origin', origins)).toEqual(
    expect.arrayContaining([
      'origin good: pages of https://app.example.com are let in',
      'origin problem: pages of https://www.example.com are refused',
      'origin good: pages of foreign sites are refused',
    ]),
  )
})

it('tells who may be a bare client', async () => {
  const at = (port: number) => `http://127.0.0.1:${port}/ws/:id`
  const legacyOf = async (options: Partial<WsRouterOptions>) =>
    (await found(at((await app(options)).port))).filter((line) => line.startsWith('legacy'))
  expect(await legacyOf({ legacy: 'open' })).toEqual([
    'legacy warning: whoever writes an id into the path is that user, and reads and writes as them',
  ])
  expect(await legacyOf({})).toEqual(['legacy good: bare clients must be the user in the path'])
  expect(await legacyOf({ legacy: false })).toEqual(['legacy good: bare clients are refused'])
  const open = createServer()
  const { chat } = await makeChat({ legacy: 'open', authenticate: undefined as never })
  chat.attach(open, '/ws/:id')
  expect(await found(at(await listen(open)))).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/upgrade good: .*welcome/),
      'origin warning: pages of any site may open a socket',
      expect.stringMatching(/^legacy warning/),
    ]),
  )
})

it.each([
  ['good', 0],
  ['warning', 60_000],
  ['problem', -3_600_000],
])('finds the clock %s that is %s ms off', async (state, off) => {
  const { url } = await app({}, (server) =>
    server.prependListener('request', (_request, response) =>
      response.setHeader('Date', new Date(Date.now() + off).toUTCString()),
    ),
  )
  expect((await found(url)).at(-1)).toMatch(new RegExp(`^clock ${state}`))
})

it('tells a proxy that takes the subprotocol away', async () => {
  const { port } = await app({ legacy: false }, (server) => {
    const emit = server.emit
    server.emit = function (this: unknown, event: string, ...args: unknown[]) {
      if (event === 'upgrade')
        delete (args[0] as { headers: Record<string, unknown> }).headers['sec-websocket-protocol']
      return emit.apply(server, [event, ...args] as never)
    } as typeof emit
  })
  expect((await found(`http://127.0.0.1:${port}/ws/:id`))[1]).toMatch(/the subprotocol did not reach it/)
})

it('tells redirects, and a proxy without an app', async () => {
  const answers = async (status: number) =>
    (
      await found(
        `http://127.0.0.1:${await listen(createServer((_, response) => void response.writeHead(status, { Location: 'https://x.test/' }).end()))}/ws`,
      )
    )[1]
  expect(await answers(301)).toBe('upgrade problem: HTTP 301 to https://x.test/')
  expect(await answers(502)).toBe('upgrade problem: HTTP 502: the proxy does not reach the app')
})
