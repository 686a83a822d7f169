import {
  type ClientFrame,
  DEFAULT_LIMITS,
  decodeClientFrame,
  encode,
  type HeadTuple,
  type IMessage,
  type KithwireError,
  type ServerFrame,
  SUBPROTOCOL,
  type Welcome,
} from '@kithwire/protocol'
import { FakeClock, type PairedSocket, socketPair } from '@kithwire/protocol/testing'
import type { WsRequestOptions } from '../options.js'
import { noWakeups } from '../wakeups.js'
import { wsRequestFor } from '../ws-request.js'

/** The server's end of one connection: what the client sent on it, and what the test answers. */
export class Peer {
  readonly frames: ClientFrame[] = []
  /** The code with which the client closed, if it did. */
  closed: number | undefined
  private taken = 0

  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
    readonly clock: FakeClock,
    readonly client: PairedSocket,
    readonly socket: PairedSocket,
  ) {
    socket.listen({
      message: (text) => {
        const decoded = decodeClientFrame(text ?? '')
        if (!decoded.ok) throw new Error(`The client sent a bad frame: ${decoded.problem.message} in ${text}`)
        this.frames.push(decoded.frame)
      },
      close: (code) => {
        this.closed = code
      },
    })
  }

  send(frame: ServerFrame): void {
    this.socket.send(encode(frame))
  }

  /** Waits for the next frame of a type, passing over others. */
  async next<T extends ClientFrame['t']>(t: T, withinMs = 60_000): Promise<Extract<ClientFrame, { t: T }>> {
    const find = () => this.frames.findIndex((frame, index) => index >= this.taken && frame.t === t)
    await this.clock.until(() => find() >= 0, withinMs)
    const index = find()
    this.taken = index + 1
    return this.frames[index] as Extract<ClientFrame, { t: T }>
  }

  of<T extends ClientFrame['t']>(t: T): Extract<ClientFrame, { t: T }>[] {
    return this.frames.filter((frame) => frame.t === t) as never
  }

  welcome(heads: readonly HeadTuple[] = [], change: Partial<Welcome> = {}): void {
    this.send({
      t: 'welcome',
      session: 'session',
      user: 'ann',
      epoch: 'epoch',
      now: this.clock.now(),
      heartbeat: 25_000,
      limits: { ...DEFAULT_LIMITS },
      heads,
      capabilities: [],
      ...change,
    })
  }

  /** Acknowledges all of a `send`, from a seq on. */
  ack(send: Extract<ClientFrame, { t: 'send' }>, from: number, id = entryId): void {
    const items = send.items.map(({ cid }, index) => ({ cid, seq: from + index, id: id(from + index), at: 1 }))
    this.send({ t: 'ack', re: send.n, conversation: send.conversation, items })
  }
}

export const entryId = (seq: number): string => `entry-${String(seq).padStart(8, '0')}`
export const tail = (seq: number): string => (seq === 0 ? '' : entryId(seq).slice(-8))

/** The entry of a log in which Ben wrote everything. */
export function entry(seq: number, change: Partial<IMessage> = {}): IMessage {
  const cid = `cid-${seq}`
  return {
    id: entryId(seq),
    conversation: 'c',
    seq,
    from: 'ben',
    type: 'text',
    content: `${seq}`,
    createdAt: 1,
    cid,
    ...change,
  }
}

export const entries = (from: number, to: number): IMessage[] =>
  Array.from({ length: to - from + 1 }, (_, index) => entry(from + index))

export function head(
  seq: number,
  change: { conversation?: string; first?: number; joined?: number; tail?: string } = {},
): HeadTuple {
  const { conversation = 'c', first = 1, joined = 0 } = change
  return [conversation, seq, first, joined, 0, 0, [['ben', 0, 0]], change.tail ?? tail(seq)]
}

/** A network on a fake clock, and clients on it. */
export class Script {
  readonly clock: FakeClock
  readonly peers: Peer[] = []
  readonly errors: KithwireError[] = []
  /** The subprotocol that the next sockets get. */
  protocol: string = SUBPROTOCOL

  constructor(seed = 1) {
    this.clock = new FakeClock({ seed })
  }

  client(options: WsRequestOptions = {}) {
    const Client = wsRequestFor({ socket: this.socket, wakeups: noWakeups })
    const client = new Client('ws://test/chat', { runtime: this.clock, ...options })
    client.on('error', (error) => this.errors.push(error))
    return client
  }

  readonly socket = (url: string, protocols: readonly string[]): PairedSocket => {
    const [client, server] = socketPair(this.clock, { protocol: this.protocol })
    this.peers.push(new Peer(url, protocols, this.clock, client, server))
    return client
  }

  /** Waits for the connection with this index. */
  async peer(index = 0, withinMs = 60_000): Promise<Peer> {
    await this.clock.until(() => this.peers.length > index, withinMs)
    return this.peers[index]!
  }

  /** A connection past its hello and welcome. */
  async online(heads: readonly HeadTuple[] = [], index = 0, change: Partial<Welcome> = {}): Promise<Peer> {
    const peer = await this.peer(index)
    await peer.next('hello')
    peer.welcome(heads, change)
    await this.clock.settle()
    await this.clock.advance(0)
    return peer
  }
}
