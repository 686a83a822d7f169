import { SeededRandom } from '@kithwire/protocol/testing'
import type { Identity } from '../context.js'
import { deviceOf, type TestClient, type TestServer } from './core-kit.js'
import type { StoreWrap } from './store-wrap.js'

const KINDS = ['text', 'emoji', 'file', 'reaction', 'edit', 'poll.vote']
const TEXTS = [
  'hi',
  '你好呀',
  '👩‍👩‍👧 zwj',
  '"quoted" \\ and \n line',
  '\u0000',
  '{"t":"welcome","v":1}',
  '\u2028 \u2029',
]

/** Everything that can happen on a server, in a random order that a seed gives: for what must hold all the while. */
export class MixedTraffic {
  private readonly random: SeededRandom
  private clients: TestClient[] = []
  private attempt = 1
  private cids = 0
  private readonly sent = new Map<TestClient, number>()

  constructor(
    private readonly server: TestServer,
    private readonly hooks: StoreWrap,
    /** Bare sockets, by their user; they send as well. */
    private readonly legacy: readonly (readonly [user: string, client: TestClient])[],
    seed: number,
    /** Whether the answers of some appends are lost, so that nobody knows what was stored. */
    private readonly lossy: boolean,
  ) {
    this.random = new SeededRandom(seed)
  }

  /** Lets so many seconds pass, with a few things in each. */
  async run(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.clients = this.clients.filter(({ closed }) => closed === undefined)
      while (this.clients.length < 4) await this.enter(this.random.pick(['ann', 'ben', 'cyd']))
      if (this.random.chance(0.3)) this.mend()
      for (let count = this.random.integer(0, 4); count > 0; count--) this.act()
      await this.server.clock.advance(1_000)
    }
    this.mend()
    await this.server.clock.advance(120_000)
  }

  private mend(): void {
    this.hooks.before = {}
    this.hooks.after = {}
    const blocked = [...this.server.friends.blocked]
    this.server.friends.blocked.clear()
    for (const conversation of blocked) void this.server.core.membershipChanged(conversation, ['ann', 'ben', 'cyd'])
  }

  private act(): void {
    const { random, server } = this
    const conversation = random.pick(['c1', 'c2', 'g1'])
    const client = random.pick(this.clients)
    const n = (this.sent.get(client) ?? 0) + 1
    this.sent.set(client, n)
    const deeds: (() => unknown)[] = [
      () => this.bare(conversation),
      () => this.bare(conversation),
      () => client.send({ t: 'send', n, conversation, items: this.items() }),
      () => client.send({ t: 'send', n, conversation, items: this.items() }),
      () =>
        client.send({
          t: 'send',
          n,
          conversation,
          items: [{ cid: 'again', type: 'text', content: random.pick(TEXTS) }],
        }),
      () => client.send({ t: 'sync', n, conversation, after: 0, limit: 200 }),
      () => client.send({ t: 'sync', n, conversation, before: 9, limit: 5 }),
      () => client.send({ t: 'cursor', conversation, delivered: random.integer(0, 9), read: 0 }),
      () => client.send({ t: 'signal', conversation, kind: random.pick(['typing', 'presence']), value: true }),
      () => client.send({ t: 'ping', n }),
      () => client.send({ t: 'auth', n, token: 'x' }),
      () => client.send({ t: 'dance', n }),
      () => client.socket.send(random.pick(['', '[]', '{"v":1}', '{"v":2,"t":"hello"}'])),
      () => void this.enter(random.pick(['ann', 'ben', 'cyd'])),
      () => client.socket.close(1000),
      () => this.appSends(conversation),
      () => void server.core.membershipChanged(conversation, ['ann', 'ben', 'cyd']),
      () => this.block(conversation),
      () => void server.store.retain(conversation, random.integer(1, 20)),
      () => server.core.revoke('cyd', 4501),
      () => server.core.setHeartbeat(random.integer(10, 60) * 1_000),
      () => server.clock.jump(random.integer(-3_600, 3_600) * 1_000),
      () => this.storeFails(),
    ]
    random.pick(deeds)()
  }

  private async enter(user: string): Promise<void> {
    const { clock } = this.server
    const ends: Partial<Identity> = this.random.chance(0.3) ? { expires: clock.now() + 90_000 } : {}
    const client = this.server.connect(user, ends)
    this.clients.push(client)
    if (this.clients.length > 9) this.clients.shift()!.socket.terminate()
    const cursors = [['c1', this.random.integer(0, 50), this.random.pick(['', 'abcdefgh'])] as const]
    const device = deviceOf(this.random.pick([user, `${user}2`]))
    client.send({ t: 'hello', device, attempt: this.attempt++, ...(this.random.chance(0.5) ? { cursors } : {}) })
    await clock.settle()
  }

  private items() {
    return Array.from({ length: this.random.pick([1, 1, 2, 32]) }, () => ({
      cid: `t${this.cids++}`,
      type: this.random.pick(KINDS),
      content: this.random.pick(TEXTS),
      ...(this.random.chance(0.3) ? { ref: ['ann', 't0'] as const, meta: { deep: [1, { two: true }] } } : {}),
    })).map((item) => (item.type === 'file' ? { ...item, content: '/uploads/x.png' } : item))
  }

  private bare(friend: string): void {
    const [from, client] = this.random.pick(this.legacy)
    const to = this.random.pick(['ann', 'ben', 'cyd'])
    const content = this.random.pick(TEXTS)
    const whole = JSON.stringify({ friend, from, to, content, type: this.random.pick(['text', 'emoji']) })
    // A tenth frame a minute that cannot be read would end the socket.
    client.socket.send(this.random.chance(0.02) ? whole.slice(0, -1) : whole)
  }

  private appSends(conversation: string): void {
    const items = [{ cid: `app${this.cids++}`, type: this.random.pick(KINDS.slice(0, 2)), content: 'of the app' }]
    this.server.core.send({ conversation, from: 'ann', items }).catch(() => {})
  }

  private block(conversation: string): void {
    this.server.friends.blocked.add(conversation)
    void this.server.core.membershipChanged(conversation, ['ann', 'ben', 'cyd'])
  }

  private storeFails(): void {
    const append = () => Promise.reject(new Error('the disk is gone'))
    if (!this.lossy || this.random.chance(0.5)) this.hooks.before = { append }
    else this.hooks.after = { append }
  }
}
