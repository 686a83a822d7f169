import { KithwireError, type Runtime, type SocketFactory, type SocketLike } from '@kithwire/protocol'
import { DeviceClock, FakeClock } from '@kithwire/protocol/testing'
import { Core, type CoreOptions } from '../core.js'
import { StoredFriendships } from '../friendships.js'
import type { ServerLimits } from '../limits.js'
import { MemoryStore } from '../stores/memory.js'
import { KitLine } from './kit-network.js'

type Wake = (why: 'online' | 'visible') => void

/** What the kit gives each client; the rest of a client's options is the test's own. */
export interface KitClientOptions {
  runtime: Runtime
  socket: SocketFactory
  wakeups: { listen(wake: Wake): () => void }
}

/** `WsRequest` of `@kithwire/client`, or what looks like it. */
export type KitClientClass<Client> = new (url: string, options: KitClientOptions) => Client

export interface ChatKitOptions {
  /** Of all randomness: a run is a function of it. @default 1 */
  seed?: number
  /** Ms of a round trip. @default 40 */
  latencyMs?: number
  /**
   * Limits of the server. Heartbeats are seldom here, so that days pass quickly; a half-open connection is noticed
   * accordingly late.
   * @default { heartbeatMs: 3_600_000, sweepMs: 3_600_000 }
   */
  limits?: Partial<ServerLimits>
  /** What users hide. @default nothing */
  privacy?: NonNullable<CoreOptions['privacy']>
}

interface Device {
  line: KitLine
  clock: DeviceClock
  wakes: Set<Wake>
}

/**
 * A server and any number of clients in one process, on one clock that moves when told: the shipped classes, with
 * sockets, time and storage replaced. Ten days pass in less than a second.
 *
 * ```ts
 * const kit = new ChatKit(WsRequest)
 * const conversation = await kit.befriend('ann', 'ben')
 * const ann = kit.client('ann')
 * ```
 */
export class ChatKit<Client extends { close(): Promise<void> }> {
  readonly clock: FakeClock
  /** What is stored. It outlives every restart. */
  readonly store: MemoryStore
  readonly friendships: StoredFriendships
  private readonly devices = new Map<Client, Device>()
  private running: { core: Core; process: DeviceClock } | undefined

  /** @param Client the class of clients, such as `WsRequest` of `@kithwire/client` */
  constructor(
    private readonly Client: KitClientClass<Client>,
    private readonly options: ChatKitOptions = {},
  ) {
    this.clock = new FakeClock({ seed: options.seed ?? 1 })
    this.store = new MemoryStore({ runtime: this.clock })
    this.friendships = new StoredFriendships(this.store.friendships, {
      runtime: this.clock,
      onChange: (conversation, users) => this.running?.core.membershipChanged(conversation, users),
    })
    this.start()
  }

  /** The server that runs now, for what a backend does: `send`, `history`, `revoke`. @throws KithwireError `bad_state` */
  get server(): Core {
    if (this.running) return this.running.core
    throw new KithwireError('bad_state', 'Expected a running server, came none: kit.start() starts one.')
  }

  /** Makes two users friends. Resolves with their conversation. */
  async befriend(one: string, other: string): Promise<string> {
    const { id } = await this.friendships.request(one, other)
    await this.friendships.accept(other, id)
    return id
  }

  /**
   * A new device of a user, which connects at once.
   *
   * @param options of the client, such as a `store`; pass one store twice for two tabs
   */
  client(user: string, options: object = {}): Client {
    const clock = new DeviceClock(this.clock)
    const wakes = new Set<Wake>()
    const server = () => {
      const core = this.running?.core
      return core && ((socket: SocketLike) => core.accept(socket, { user }))
    }
    const line = new KitLine(this.clock, this.options.latencyMs ?? 40, server)
    const listen = (wake: Wake) => {
      wakes.add(wake)
      return () => void wakes.delete(wake)
    }
    const given = { runtime: clock, socket: line.socket, wakeups: { listen }, ...options }
    const client = new this.Client('ws://kit/chat', given)
    this.devices.set(client, { line, clock, wakes })
    return client
  }

  /** The client's network goes: connections end, new ones are refused. `silent`: nobody is told, and nothing arrives. */
  offline(client: Client, how: 'refused' | 'silent' = 'refused'): void {
    const { line } = this.device(client)
    if (how === 'silent') line.silence()
    else {
      line.state = 'down'
      line.drop()
    }
  }

  /** The client's network is back, and its browser says so. A connection that was silenced stays so. */
  online(client: Client): void {
    const { line, wakes } = this.device(client)
    line.state = 'up'
    for (const wake of wakes) wake('online')
  }

  /** The device falls asleep: its timers stand still, and what is sent to it waits. */
  sleep(client: Client): void {
    const { clock, line } = this.device(client)
    clock.sleep()
    line.hold(true)
  }

  /** It wakes up, and its browser says so. */
  wake(client: Client): void {
    const { clock, line, wakes } = this.device(client)
    clock.wake()
    for (const wake of wakes) wake('visible')
    line.hold(false)
  }

  /** The page is hidden, and runs timers once a minute; or it is visible again. */
  hide(client: Client, hidden = true): void {
    const { clock, wakes } = this.device(client)
    clock.hidden = hidden
    if (!hidden) for (const wake of wakes) wake('visible')
  }

  /** Kills the server. What it had not acknowledged may be stored or not. */
  stop(): void {
    this.running?.process.kill()
    this.running = undefined
    for (const { line } of this.devices.values()) if (line.state !== 'silent') line.drop()
  }

  /** Starts a server over what is stored, unless one runs. */
  start(): void {
    if (this.running) return
    const process = new DeviceClock(this.clock)
    const limits = { heartbeatMs: 3_600_000, sweepMs: 3_600_000, ...this.options.limits }
    const { privacy = {} } = this.options
    const core = new Core({ runtime: process, store: this.store, friendships: this.friendships, limits, privacy })
    this.running = { core, process }
  }

  /** Kills the server and starts another one. */
  restart(): void {
    this.stop()
    this.start()
  }

  /** Lets time pass, and everything happen that falls due. */
  advance(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }

  /** Lets time pass until `done` answers true. @throws Error when `withinMs` have passed before */
  until(done: () => boolean, withinMs = 60_000): Promise<void> {
    return this.clock.until(done, withinMs)
  }

  /** Resolves as the promise does, letting the time pass that it needs. */
  async wait<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let over = false
    const end = () => {
      over = true
    }
    promise.then(end, end)
    await this.until(() => over, withinMs)
    return promise
  }

  /** Ends all clients and the server. */
  async close(): Promise<void> {
    await Promise.all([...this.devices.keys()].map((client) => client.close()))
    this.stop()
  }

  private device(client: Client): Device {
    const device = this.devices.get(client)
    if (device) return device
    throw new KithwireError('bad_option', 'Expected a client of this kit, came another one.')
  }
}
