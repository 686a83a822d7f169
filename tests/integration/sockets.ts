import { connect } from 'node:net'
import type { ServerFrame } from '@kithwire/protocol'
import WebSocket from 'ws'
import { cleanup } from './serve.js'

/** A client that nobody of Kithwire wrote: the `ws` package, and frames by hand. */
export class Peer {
  readonly received: string[] = []
  readonly opened: Promise<this>
  readonly closed: Promise<{ code: number; reason: string }>
  /** Resolves with the status of a handshake that was refused. */
  readonly refused: Promise<{ status: number; text: string }>
  private waiting: (() => void)[] = []
  private n = 0

  constructor(readonly socket: WebSocket) {
    socket.on('error', () => {})
    socket.on('message', (data) => {
      this.received.push(String(data))
      for (const wake of this.waiting.splice(0)) wake()
    })
    this.opened = new Promise((resolve) => socket.once('open', () => resolve(this)))
    this.closed = new Promise((resolve) =>
      socket.once('close', (code, reason) => {
        resolve({ code, reason: String(reason) })
        for (const wake of this.waiting.splice(0)) wake()
      }),
    )
    this.refused = new Promise((resolve) =>
      socket.once('unexpected-response', (_request, response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      }),
    )
    cleanup(() => socket.terminate())
  }

  /** The first received frame, from now or before, that `pick` takes. */
  async next<T>(pick: (text: string) => T | undefined): Promise<T> {
    for (let index = 0; ; index++) {
      while (index >= this.received.length) {
        if (this.socket.readyState === WebSocket.CLOSED) throw new Error('The socket closed before the frame came.')
        await new Promise<void>((resolve) => this.waiting.push(resolve))
      }
      const picked = pick(this.received[index]!)
      if (picked !== undefined) return picked
    }
  }

  /** The first envelope of a type. */
  envelope<T extends ServerFrame['t']>(type: T): Promise<Extract<ServerFrame, { t: T }>> {
    return this.next((text) => {
      const frame = JSON.parse(text) as ServerFrame
      return frame.t === type ? (frame as Extract<ServerFrame, { t: T }>) : undefined
    })
  }

  /** Says hello as a fresh device and waits for the welcome. */
  async hello() {
    await this.opened
    const device = `${Math.random().toString(36).slice(2)}${'d'.repeat(22)}`.slice(0, 22)
    this.socket.send(JSON.stringify({ v: 1, t: 'hello', device, attempt: 1 }))
    return this.envelope('welcome')
  }

  /** Sends a text and waits until it is stored. */
  async send(conversation: string, content: string): Promise<number> {
    const n = ++this.n
    const items = [{ cid: `c-${Math.random().toString(36).slice(2)}`, type: 'text', content }]
    this.socket.send(JSON.stringify({ v: 1, t: 'send', n, conversation, items }))
    return this.next((text) => {
      const frame = JSON.parse(text)
      if (frame.t !== 'ack' || frame.re !== n) return undefined
      if (frame.refused) throw new Error(`refused: ${frame.refused.code}`)
      return frame.items[0].seq as number
    })
  }

  /** The contents of all messages so far, in the order in which they came. */
  contents(): string[] {
    return this.received.flatMap((text) => {
      const frame = JSON.parse(text)
      return frame.t === 'messages' ? frame.items.map((item: { content: string }) => item.content) : []
    })
  }
}

export interface PeerOptions {
  protocols?: string[]
  headers?: Record<string, string>
  origin?: string
}

export function peer(url: string, { protocols = [], ...options }: PeerOptions = {}): Peer {
  return new Peer(new WebSocket(url, protocols, options))
}

/** A v1 socket of a user, after its welcome. */
export async function v1(port: number, user: string, path = '/chat/ws'): Promise<Peer> {
  const client = peer(`ws://127.0.0.1:${port}${path}`, { protocols: ['kithwire.v1'], headers: { 'x-user': user } })
  await client.hello()
  return client
}

/** A bare socket of a user, opened. */
export function bare(port: number, user: string, headers: Record<string, string> = { 'x-user': user }): Promise<Peer> {
  return peer(`ws://127.0.0.1:${port}/ws/${encodeURIComponent(user)}`, { headers }).opened
}

/** Two friends who chat while something else happens: started before, and asked afterwards for 20 messages in order. */
export async function controlPair(port: number, conversation: string, path = '/chat/ws') {
  const [ann, ben] = await Promise.all([v1(port, 'ann', path), v1(port, 'ben', path)])
  const expected: string[] = []
  const say = async (count: number) => {
    for (let index = 0; index < count; index++) {
      expected.push(`control ${expected.length}`)
      await ann.send(conversation, expected.at(-1)!)
    }
  }
  await say(10)
  return {
    /** Sends the other ten and waits until all twenty have come, in order and once. */
    async check(): Promise<string[]> {
      await say(10)
      await ben.next((text) => (text.includes(expected.at(-1)!) ? true : undefined))
      return ben.contents()
    },
    expected,
  }
}

export const HANDSHAKE: Readonly<Record<string, string>> = {
  Host: 'localhost',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
}

/** Sends bytes over TCP and answers with all that came back until the end. */
export function raw(port: number, request: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    let answer = ''
    cleanup(() => socket.destroy())
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The server may drop a connection with bytes of ours unread.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
  })
}

/** The request of a handshake, with headers changed, or left out by undefined, or repeated by an array. */
export function handshake(path: string, changes: Record<string, string | string[] | undefined> = {}, method = 'GET') {
  const lines = [`${method} ${path} HTTP/1.1`]
  for (const [name, value] of Object.entries({ ...HANDSHAKE, ...changes }))
    for (const one of value === undefined ? [] : [value].flat()) lines.push(`${name}: ${one}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

export const status = (answer: string): number => Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(answer)?.[1] ?? 0)
