import {
  type ClientFrame,
  type Decoded,
  decodeServerFrame,
  encode,
  type Hello,
  type ServerFrame,
} from '@kithwire/protocol'
import { FakeClock, type PairedSocket, type PairOptions, socketPair } from '@kithwire/protocol/testing'
import type { Identity } from '../context.js'
import { Core, type CoreOptions } from '../core.js'
import type { LogLine } from '../log.js'
import type { Friendships } from '../membership.js'
import type { Store } from '../store.js'
import { MemoryStore } from '../stores/memory.js'

type FrameOf<T extends ServerFrame['t']> = Extract<ServerFrame, { t: T }>

/** Who is friends with whom, for the unit tests of the core: a table to write into. */
export class FriendTable implements Friendships {
  readonly table = new Map<string, string[]>()
  readonly blocked = new Set<string>()
  failing = false
  asked = 0

  async members(conversation: string): Promise<readonly string[] | null> {
    this.asked++
    if (this.failing) throw new Error('the table is down')
    return this.blocked.has(conversation) ? null : (this.table.get(conversation) ?? null)
  }

  async of(user: string) {
    if (this.failing) throw new Error('the table is down')
    return [...this.table]
      .filter(([conversation, members]) => members.includes(user) && !this.blocked.has(conversation))
      .map(([conversation, members]) => ({ conversation, members }))
  }

  async refusal(conversation: string, user: string): Promise<'blocked' | 'not_found'> {
    return this.blocked.has(conversation) && this.table.get(conversation)?.includes(user) ? 'blocked' : 'not_found'
  }
}

/** One end of a wire as a device sees it, with the frames that came. */
export class TestClient {
  readonly frames: ServerFrame[] = []
  readonly texts: string[] = []
  closed: { code: number; reason: string } | undefined
  n = 0

  constructor(
    readonly socket: PairedSocket,
    readonly server: PairedSocket,
    private readonly clock: FakeClock,
    listen = true,
  ) {
    socket.listen({
      message: (text) => {
        this.texts.push(text ?? '')
        const decoded: Decoded<ServerFrame> = decodeServerFrame(text ?? '')
        if (decoded.ok) this.frames.push(decoded.frame)
        else if (listen) throw new Error(`Expected a frame of a server, came ${text}: ${decoded.problem.message}`)
      },
      close: (code, reason) => {
        this.closed = { code, reason }
      },
    })
  }

  send(frame: ClientFrame | { t: string; [field: string]: unknown }): void {
    this.socket.send(encode(frame as ClientFrame))
  }

  /** Sends items of a conversation by their cids, each with its cid as content. */
  sendItems(conversation: string, ...cids: string[]): number {
    this.send({ t: 'send', n: ++this.n, conversation, items: cids.map((cid) => ({ cid, type: 'text', content: cid })) })
    return this.n
  }

  of<T extends ServerFrame['t']>(type: T): FrameOf<T>[] {
    return this.frames.filter((frame): frame is FrameOf<T> => frame.t === type)
  }

  /** Waits until there are `count` frames of a type, and answers with the last of them. */
  async next<T extends ServerFrame['t']>(type: T, count = 1): Promise<FrameOf<T>> {
    await this.clock.until(() => this.of(type).length >= count)
    return this.of(type)[count - 1]!
  }

  async ended(): Promise<number> {
    await this.clock.until(() => this.closed !== undefined)
    return this.closed!.code
  }

  /** The seqs that were pushed or paged, in the order in which they came. */
  get seqs(): number[] {
    return this.of('messages').flatMap(({ items }) => items.map(({ seq }) => seq))
  }
}

export const deviceOf = (name: string): string => name.padEnd(22, '_')

/** A core over a fake clock and a memory store, with two friends in `c1`. */
export class TestServer {
  readonly clock: FakeClock
  readonly friends: FriendTable
  readonly lines: LogLine[] = []
  readonly store: Store
  readonly core: Core

  /** @param options.beside another server of the same clock, store and friends */
  constructor(options: Partial<CoreOptions> & { wrap?: (store: Store) => Store; beside?: TestServer } = {}) {
    const { wrap = (store: Store) => store, beside, ...rest } = options
    this.clock = beside?.clock ?? new FakeClock()
    this.friends = beside?.friends ?? new FriendTable()
    this.store = wrap(beside?.store ?? new MemoryStore({ runtime: this.clock }))
    this.friends.table.set('c1', ['ann', 'ben'])
    this.core = new Core({
      runtime: this.clock,
      store: this.store,
      friendships: this.friends,
      log: (line) => this.lines.push(line),
      ...rest,
    })
  }

  /** A socket that has said nothing yet. */
  connect(user: string, identity: Partial<Identity> = {}, pair: PairOptions = {}): TestClient {
    const [client, server] = socketPair(this.clock, { protocol: 'kithwire.v1', ...pair })
    this.core.accept(server, { user, ...identity })
    return new TestClient(client, server, this.clock)
  }

  connectLegacy(user: string, identity: Partial<Identity> = {}): TestClient {
    const [client, server] = socketPair(this.clock)
    this.core.acceptLegacy(server, { user, ...identity })
    return new TestClient(client, server, this.clock, false)
  }

  /** A socket that has been welcomed. */
  async enter(user: string, hello: Partial<Hello> = {}, identity: Partial<Identity> = {}): Promise<TestClient> {
    const client = this.connect(user, identity)
    client.send({ t: 'hello', device: deviceOf(user), attempt: 1, ...hello })
    await client.next('welcome')
    return client
  }

  /** Whether anything is left in memory or on the clock. */
  get empty(): boolean {
    return Object.values(this.core.sizes).every((size) => size === 0) && this.clock.pending === 0
  }
}
