import { MemoryClientStore, WsRequest } from '@kithwire/client'
import { type IMessage, type SocketFactory, SUBPROTOCOL } from '@kithwire/protocol'
import { FakeClock, type PairedSocket, SeededRandom, socketPair } from '@kithwire/protocol/testing'
import { Core, StoredFriendships } from '@kithwire/server'
import { describe, expect, it } from 'vitest'
import { RestorableStore } from './restorable-store.js'

type Client = InstanceType<typeof WsRequest>

/** A server that can be restarted, and a network that breaks, on one clock. */
class World {
  readonly clock: FakeClock
  readonly random: SeededRandom
  readonly store: RestorableStore
  readonly friendships: StoredFriendships
  readonly errors: string[] = []
  private core: Core
  private wires: PairedSocket[] = []
  private down = false
  private restore: (() => void) | undefined

  constructor(
    seed: number,
    private readonly restores: boolean,
  ) {
    this.clock = new FakeClock({ seed })
    this.random = new SeededRandom(seed ^ 0x5eed)
    this.store = new RestorableStore(this.clock)
    this.friendships = new StoredFriendships(this.store.friendships!, { runtime: this.clock })
    this.core = this.start()
  }

  private start(): Core {
    const { clock: runtime, store, friendships } = this
    return new Core({ runtime, store, friendships, limits: { rate: 1_000, burst: 1_000, heartbeatMs: 5_000 } })
  }

  socket(user: string): SocketFactory {
    return () => {
      const latency = () => this.random.integer(1, 40)
      const [near, far] = socketPair(this.clock, { protocol: SUBPROTOCOL, latency })
      this.wires.push(near, far)
      if (this.down) this.clock.setTimer(() => far.terminate(), 5)
      else this.core.accept(far, { user })
      return near
    }
  }

  client(user: string, store = new MemoryClientStore()): { client: Client; seen: IMessage[] } {
    const client = new WsRequest('ws://world', { runtime: this.clock, socket: this.socket(user), store })
    const seen: IMessage[] = []
    client.onMessage((message) => void seen.push(message))
    // As an app does: what is above the place of a reset is not true any more.
    client.on('reset', ({ to }) => seen.splice(0, seen.length, ...seen.filter((message) => message.seq <= to)))
    client.on('error', (error) => this.errors.push(`${error.code} ${error.message} ${String(error.cause ?? '')}`))
    return { client, seen }
  }

  /** One fault: a lost connection, a cable that is out, or a server that is killed and comes back. */
  break(): void {
    const live = this.wires.filter((wire) => !wire.closed)
    const wire = live[this.random.integer(0, live.length - 1)]
    const kind = this.random.integer(0, 3)
    if (kind === 0) wire?.terminate()
    else if (kind === 1) wire?.cut()
    else if (kind === 2) wire?.close(this.random.pick([1001, 1009, 1012, 4008]))
    else if (!this.down) {
      for (const each of live) each.terminate()
      void this.core.close({ drainMs: 1 })
      this.down = true
      this.clock.setTimer(
        () => {
          this.down = false
          if (this.restores && this.random.chance(0.5)) this.restore?.()
          this.core = this.start()
        },
        this.random.integer(10, 3_000),
      )
    }
    this.wires = live
  }

  backup(): void {
    this.restore = this.store.backup()
  }
}

const SEEDS = Number(process.env.SEEDS ?? 60)

const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1)

describe.each([false, true])('with restored backups: %s', (restores) => {
  it.each(seeds)('loses, doubles and reorders nothing: seed %i', async (seed) => {
    const world = new World(seed, restores)
    const { clock, random } = world
    const { id: conversation } = await world.friendships.request('ann', 'ben')
    await world.friendships.accept('ben', conversation)
    const shared = new MemoryClientStore()
    const devices = [world.client('ann', shared), world.client('ann', shared), world.client('ann'), world.client('ben')]
    await clock.until(() => devices.filter(({ client }) => client.state === 'online').length >= 3)
    await clock.advance(100)

    const sent: Promise<unknown>[] = []
    const order: string[][] = devices.map(() => [])
    for (let step = 0; step < 60; step++) {
      await clock.advance(random.integer(0, 400))
      if (random.chance(0.1)) world.backup()
      if (random.chance(0.25)) world.break()
      const device = random.integer(0, devices.length - 1)
      const content = `${device}/${step}`
      order[device]!.push(content)
      sent.push(devices[device]!.client.send({ conversation, content }))
    }
    const results = Promise.all(sent)
    results.catch(() => {})
    const log = () => world.store.read(conversation, { after: 0, limit: 1_000 })
    for (let waited = 0; waited < 240 && devices.some(({ seen }) => seen.length < sent.length); waited++)
      await clock.advance(1_000)
    await results
    const entries = (await log()).map(({ seq, id, content }) => ({ seq, id, content }))
    expect(entries.map((entry) => entry.content).sort()).toEqual(order.flat().sort())
    for (const { seen } of devices) expect(seen.map(({ seq, id, content }) => ({ seq, id, content }))).toEqual(entries)
    for (const [index, contents] of order.entries())
      expect(entries.map((entry) => entry.content).filter((content) => content.startsWith(`${index}/`))).toEqual(
        contents,
      )
    expect(world.errors).toEqual([])
    for (const { client } of devices) await client.close()
  })
})
