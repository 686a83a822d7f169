import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { WsRequest } from '@kithwire/client'
import { MemoryStore, type ServerLimits, WsRouter } from '@kithwire/server'

/** What came back on one connection until its end. */
export interface Answer {
  bytes: Buffer
  /** False if the server had not ended the connection after the deadline. */
  ended: boolean
}

/** How long a server may take to end a connection whose client has ended it, ms. Generous: machines are busy. */
const DEADLINE_MS = 5_000

let sources = 0

/** A mounted server with real sockets, and two friends who chat all the while. */
export class TcpTarget {
  readonly heard: string[] = []
  private said = 0

  private constructor(
    readonly port: number,
    private readonly chat: WsRouter,
    private readonly conversation: string,
    private readonly cal: WsRequest,
    private readonly stop: () => Promise<void>,
  ) {}

  static async start(given: Partial<ServerLimits>): Promise<TcpTarget> {
    const chat = new WsRouter({
      store: new MemoryStore(),
      authenticate: (request, { token }) => token ?? (request.headers['x-user'] as string | undefined) ?? null,
      log: () => {},
      // Everybody comes from one machine here; how many may come from one address is tested elsewhere.
      limits: {
        ...{ handshakeRate: 1e6, handshakeBurst: 1e6, connectionsPerAddress: 1e6, connectionsPerUser: 1e6 },
        ...given,
      },
    })
    const server = createServer((request, response) => chat.router(request, response))
    chat.attach(server, '/chat/ws')
    chat.attach(server, '/ws/:id')
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const friends = async (one: string, other: string) => {
      const { id } = await chat.friendships.request(one, other)
      await chat.friendships.accept(other, id)
      return id
    }
    const conversation = await friends('cal', 'dan')
    await friends('ann', 'ben')
    const url = `ws://127.0.0.1:${port}/chat/ws`
    const [cal, dan] = [new WsRequest(url, { token: 'cal' }), new WsRequest(url, { token: 'dan' })]
    await Promise.all([cal.connected(), dan.connected()])
    const target = new TcpTarget(port, chat, conversation, cal, async () => {
      cal.close()
      dan.close()
      await chat.close({ drainMs: 0 })
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })
    dan.onMessage(({ content }) => void target.heard.push(content))
    return target
  }

  /** Sockets that are left of strangers who have gone. The server may hear of an end a moment after they do. */
  async strangers(): Promise<number> {
    const left = () => this.chat.connections() - 2
    for (let tries = 0; left() > 0 && tries < 200; tries++) await new Promise((resolve) => setTimeout(resolve, 10))
    return left()
  }

  /** Sends bytes in pieces, then FIN, and waits for the end. */
  attack({ pieces, pauseMs = 0 }: { pieces: readonly Buffer[]; pauseMs?: number }): Promise<Answer> {
    // Many addresses of this machine, or it would run out of ports in a long run.
    const localAddress =
      process.platform === 'linux' ? `127.0.${1 + ((sources >> 8) % 200)}.${1 + (sources++ % 250)}` : undefined
    return new Promise((resolve) => {
      const chunks: Buffer[] = []
      let ended = true
      const socket: Socket = connect({ port: this.port, host: '127.0.0.1', ...(localAddress && { localAddress }) })
      const timer = setTimeout(() => {
        ended = false
        socket.destroy()
      }, DEADLINE_MS)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      socket.on('close', () => {
        clearTimeout(timer)
        resolve({ bytes: Buffer.concat(chunks), ended })
      })
      socket.on('connect', () => void write(socket, pieces, pauseMs))
    })
  }

  /** One message between the two. Undefined if all that were said have been heard, in order. */
  async checkControl(): Promise<string | undefined> {
    const content = `m${++this.said}`
    await this.cal.send({ conversation: this.conversation, content })
    for (let tries = 0; this.heard.length < this.said && tries < 500; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10))
    const wanted = Array.from({ length: this.said }, (_, index) => `m${index + 1}`)
    return this.heard.join() === wanted.join() ? undefined : `control heard ${this.heard.slice(-3)} of ${this.said}`
  }

  close(): Promise<void> {
    return this.stop()
  }
}

async function write(socket: Socket, pieces: readonly Buffer[], pauseMs: number): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return
    socket.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  socket.end()
}
