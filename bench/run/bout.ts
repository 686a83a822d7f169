import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../tests/support/free-port.js'
import type { MongoSet } from '../../tests/support/mongod.js'
import type { FromLoad, FromServer, LoadPlan, ServerPlan, ToLoad, ToServer, World } from '../messages.js'
import type { Peer } from '../peers.js'
import { Child } from './child.js'
import { processorTime, residentBytes } from './process-usage.js'

export interface Surroundings {
  root: string
  /** Where data is put; on a disk, or a commit costs nothing. */
  data: string
  mongo: MongoSet | undefined
  /** Where each server leaves a profile of its main thread when it ends. */
  profiles?: string | undefined
}

/** What a server and its database had used at one moment, µs of processor time. */
export interface Usage {
  server: number
  database: number
}

/** One server with fresh data, and the load that talks with it. */
export class Bout {
  load!: Child<ToLoad, FromLoad>
  private server!: Child<ToServer, FromServer>
  private plan!: ServerPlan
  private conversations: readonly string[] = []
  /** Whether the server ends because we want it to. */
  private ending = false

  private constructor(
    readonly peer: Peer,
    readonly world: World,
    private readonly surroundings: Surroundings,
  ) {}

  static async begin(peer: Peer, world: World, surroundings: Surroundings): Promise<Bout> {
    const bout = new Bout(peer, world, surroundings)
    const { root, data, mongo } = surroundings
    mkdirSync(data, { recursive: true })
    bout.plan = {
      ...{ peer: peer.server, port: await freePort(), data: mkdtempSync(join(data, `${peer.id}-`)) },
      ...{ world, root: peer.root ?? root },
      ...(peer.needsMongo && { mongo: mongo!.uri(`bench-${randomUUID()}`) }),
    }
    bout.load = Child.start('load')
    await bout.startServer()
    return bout
  }

  connect(options: Partial<LoadPlan> = {}, only?: readonly number[]) {
    const plan: LoadPlan = {
      ...{ wire: this.peer.wire, port: this.plan.port, world: this.world, conversations: this.conversations },
      ...{ inFlight: 1, oneWay: false },
      ...options,
    }
    return this.load.ask({ do: 'connect', plan, ...(only && { only }) }, 'connected')
  }

  async usage(): Promise<Usage> {
    const server = processorTime(this.server.pid) ?? (await this.server.ask({ do: 'usage' }, 'usage')).microseconds
    const database = this.peer.needsMongo ? this.surroundings.mongo!.cpuMs() * 1_000 : 0
    return { server, database }
  }

  /** Bytes that are resident once everything that is not needed was let go. */
  async memory(): Promise<number> {
    await this.server.ask({ do: 'collect' }, 'collected')
    return residentBytes(this.server.pid) ?? Number.NaN
  }

  /** kill -9, and a process that takes its place. Resolves when that listens. */
  async restart(): Promise<void> {
    const { server } = this
    this.ending = true
    await server.kill()
    this.ending = false
    const { world, ...plan } = this.plan
    this.plan = plan
    await this.startServer()
  }

  async end(): Promise<void> {
    this.ending = true
    await this.load.kill()
    await (this.surroundings.profiles ? this.server.stop({ do: 'stop' }) : this.server.kill())
    rmSync(this.plan.data, { recursive: true, force: true })
  }

  private async startServer(): Promise<void> {
    const { profiles } = this.surroundings
    const argv = ['--expose-gc', ...(profiles ? ['--cpu-prof', '--cpu-prof-dir', profiles] : [])]
    this.server = Child.start('server', { BENCH: JSON.stringify(this.plan) }, argv)
    const { conversations } = await this.server.next('listening')
    this.conversations = conversations ?? this.conversations
    const { server } = this
    // A load whose server has gone would wait for ever.
    void server.ended.then(() => {
      if (server === this.server && !this.ending) void this.load.kill()
    })
  }
}
