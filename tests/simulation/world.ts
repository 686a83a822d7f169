import { FakeClock, SeededRandom } from '@kithwire/protocol/testing'
import type { Entry, FriendshipRow } from '../../packages/server/src/store.js'
import { SimulatedBus } from './bus.js'
import { Device, type Tab } from './device.js'
import type { Disk, JournalRecord } from './disk.js'
import { Journal } from './journal.js'
import { Ledger, type LogEntry, Verdict } from './ledger.js'
import { LegacyClient } from './legacy-client.js'
import { Network } from './network.js'
import { makePlan, type Plan } from './plan.js'
import { Process } from './process.js'
import { ServerHost } from './server-host.js'
import { Trace } from './trace.js'
import { Views } from './views.js'
import { WireOracle } from './wire-oracle.js'

export type Phase =
  | 'quiet'
  | 'connecting'
  | 'greeting'
  | 'sending'
  | 'catching up'
  | 'going back'
  | 'storing'
  | 'pinging'
  | 'draining'
  | 'server down'

/** Everything of one run, assembled from its seed. */
export class World {
  readonly clock: FakeClock
  readonly random: SeededRandom
  readonly plan: Plan
  readonly trace: Trace
  readonly verdict = new Verdict()
  readonly ledger = new Ledger(this.verdict)
  readonly views = new Views(this.verdict, this.ledger)
  readonly wire: WireOracle
  readonly network: Network
  readonly journal: Journal
  readonly servers: readonly ServerHost[]
  /** Between two servers; one alone has none. */
  readonly bus: SimulatedBus | undefined
  readonly devices: readonly Device[]
  readonly legacy: { process: Process; client: LegacyClient; user: string }[] = []
  /** Something was stored of which no server learned, so that only a look at the log finds it. */
  orphaned = false
  /** Faults have stopped. */
  calm = false
  /** Faults that hit something, by name, and then by what was going on. */
  readonly faults: Record<string, Record<string, number>> = {}

  constructor(seed: number, explain: boolean) {
    this.clock = new FakeClock({ seed })
    this.random = new SeededRandom(seed)
    this.plan = makePlan(this.random.fork(1))
    this.trace = new Trace(this.clock, explain)
    this.wire = new WireOracle(this.verdict, this.ledger, this.views, this.trace)
    this.ledger.apart = this.plan.servers > 1
    this.network = new Network(this.clock, this.random.fork(2), this.wire, this.plan.newer)
    if (this.plan.narrow) this.network.window = 256
    const durable = (record: JournalRecord) => this.durable(record)
    const misused = (how: string) => this.verdict.fail('I3', how)
    this.journal = new Journal(this.clock, this.random.fork(3), { durable, misused }, this.friendships())
    if (this.plan.servers === 2)
      this.bus = new SimulatedBus(this.clock, this.random.fork(7), this.trace, this.plan.newer === 'server')
    this.servers = ['server', 'other']
      .slice(0, this.plan.servers)
      .map((name, index) => new ServerHost(this, this.random.fork(4 + 4 * index), name))
    this.devices = this.plan.devices.map((plan, index) => new Device(this, plan, this.random.fork(100 + index)))
  }

  /** Code that throws where nobody catches is a violation, whatever it was. */
  readonly crashed = (process: Process, error: unknown): void => {
    this.verdict.fail('crash', `${process.name}: ${error instanceof Error ? error.stack : error}`)
  }

  start(): void {
    for (const server of this.servers) server.start()
    for (const [index, device] of this.devices.entries())
      for (const [place, tab] of device.tabs.entries())
        this.clock.setTimer(() => tab.open(), this.plan.devices[index]!.from + place * 50)
    for (const [index, { host, user }] of this.plan.legacy.entries()) {
      const process = new Process(host, this.clock, this.random.fork(200 + index), this.crashed)
      const client = new LegacyClient(process, this.network.factory(process, host), this.ledger, user, host)
      this.legacy.push({ process, client, user })
    }
  }

  get tabs(): Tab[] {
    return this.devices.flatMap((device) => device.tabs)
  }

  hit(fault: string, phases = this.phases): void {
    this.faults[fault] ??= {}
    const cells = this.faults[fault]
    for (const phase of ['all', ...phases]) cells[phase] = (cells[phase] ?? 0) + 1
    this.trace.note('world', 'fault', fault)
  }

  /** What is going on now, as far as it can be seen from outside. */
  get phases(): Phase[] {
    const { servers, network, journal, wire } = this
    const { greeting, sending, syncing, resetting } = wire.pending
    const phases: Phase[] = []
    if (servers.some(({ run }) => run === undefined)) phases.push('server down')
    if (servers.some(({ run }) => run?.draining)) phases.push('draining')
    for (const link of network.links)
      if (link.server === undefined && !link.broken) {
        phases.push('connecting')
        break
      }
    if (greeting > 0) phases.push('greeting')
    if (sending > 0) phases.push('sending')
    if (syncing > 0) phases.push('catching up')
    if (resetting > 0) phases.push('going back')
    if (journal.unsynced) phases.push('storing')
    if (network.pinging > 0) phases.push('pinging')
    if (phases.length === 0) phases.push('quiet')
    return phases
  }

  /** One of the servers that run, or any if none does. */
  server(random: SeededRandom): ServerHost {
    if (this.servers.length === 1) return this.servers[0]!
    const running = this.servers.filter(({ run }) => run !== undefined)
    return random.pick(running.length > 0 ? running : this.servers)
  }

  /** Ends all servers, brings back the log as it was in a backup, and starts them again. */
  restore(backup: Disk): void {
    for (const server of this.servers) server.end()
    this.setBack(backup)
    for (const server of this.servers) server.start()
  }

  private setBack(backup: Disk): void {
    const ids = this.plan.conversations.map(({ id }) => id)
    this.journal.restore(backup)
    this.trace.note('store', 'restore', JSON.stringify(ids.map((id) => [id, backup.log(id).length])))
    for (const id of ids) this.ledger.restored(id, backup.log(id).map(logEntry))
    this.wire.restored(backup.marks(ids))
  }

  private durable(record: JournalRecord): void {
    if (record.kind === 'entry') {
      const { conversation, seq, content } = record.entry
      this.trace.note('store', 'durable', `${conversation}/${seq} ${content.slice(0, 30)}`)
      this.ledger.logged(logEntry(record.entry))
      if (this.journal.orphans.delete(record.entry.id)) {
        this.orphaned = true
        this.ledger.orphaned(content)
      }
      // Another server, or a dead one, may have had it on its way.
      else if (this.servers.length === 1 && this.wire.closed.has(conversation))
        this.verdict.fail('I11', `${conversation}/${seq} was stored after a block had been answered`)
    } else if (record.kind === 'mark') this.wire.marked(record.mark)
    else if (record.kind === 'retain') this.ledger.retained(record.conversation, record.first)
  }

  private friendships(): JournalRecord[] {
    return this.plan.conversations.map(({ id, members, accepted }, index) => {
      // Old data has both orders.
      const [user1, user2] = index % 2 === 0 ? members : [members[1], members[0]]
      const state = accepted === 0 ? 'accepted' : 'pending'
      const row: FriendshipRow = {
        id,
        user1,
        user2,
        state,
        requester: members[0],
        blockedBy: [],
        createdAt: 0,
        changedAt: 0,
        version: 1,
      }
      return { kind: 'row', row } as const
    })
  }
}

/** An entry of the product's, in the oracle's own words. */
const logEntry = ({ id, conversation, seq, from, cid, content }: Entry): LogEntry => ({
  id,
  conversation,
  seq,
  from,
  cid,
  content,
})
