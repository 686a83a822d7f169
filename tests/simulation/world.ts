import { FakeClock, SeededRandom } from '@kithwire/protocol/testing'
import type { Entry, FriendshipRow } from '../../packages/server/src/store.js'
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
  readonly server: ServerHost
  readonly devices: readonly Device[]
  readonly legacy: { process: Process; client: LegacyClient; user: string }[] = []
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
    this.network = new Network(this.clock, this.random.fork(2), this.wire, this.plan.newer)
    if (this.plan.narrow) this.network.window = 1_024
    const durable = (record: JournalRecord) => this.durable(record)
    this.journal = new Journal(this.clock, this.random.fork(3), { durable }, this.friendships())
    this.server = new ServerHost(this, this.random.fork(4))
    this.devices = this.plan.devices.map((plan, index) => new Device(this, plan, this.random.fork(100 + index)))
  }

  /** Code that throws where nobody catches is a violation, whatever it was. */
  readonly crashed = (process: Process, error: unknown): void => {
    this.verdict.fail('crash', `${process.name}: ${error instanceof Error ? error.stack : error}`)
  }

  start(): void {
    this.server.start()
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
    const { server, network, journal, wire } = this
    const { greeting, sending, syncing, resetting } = wire.pending
    const phases: Phase[] = []
    if (server.run === undefined) phases.push('server down')
    if (server.run?.draining) phases.push('draining')
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
    if (phases.length === 0) phases.push('quiet')
    return phases
  }

  restore(backup: Disk): void {
    this.journal.restore(backup)
    const ids = this.plan.conversations.map(({ id }) => id)
    this.trace.note('store', 'restore', JSON.stringify(ids.map((id) => [id, backup.log(id).length])))
    for (const id of ids) this.ledger.restored(id, backup.log(id).map(logEntry), backup.first(id))
    this.wire.restored(backup.marks(ids))
  }

  private durable(record: JournalRecord): void {
    if (record.kind === 'entry') {
      const { conversation, seq, content } = record.entry
      this.trace.note('store', 'durable', `${conversation}/${seq} ${content.slice(0, 30)}`)
      this.ledger.logged(logEntry(record.entry))
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
