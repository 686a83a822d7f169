import { WsRequest } from '@kithwire/client'
import type { IMessage, KithwireError } from '@kithwire/protocol'
import type { SeededRandom } from '@kithwire/protocol/testing'
import { DeviceStorage } from './client-store.js'
import { type DevicePlan, POISON } from './plan.js'
import { Process } from './process.js'
import type { Listener } from './views.js'
import type { World } from './world.js'

/** One run of a tab: a process with a client in it. */
interface TabRun {
  process: Process
  client: WsRequest
  /** A listener of an app that saves no position; it starts anew with each run. */
  plain: Listener
}

/** A tab, which may be killed and opened again. */
export class Tab {
  run: TabRun | undefined
  /** The listener of an app that saves its position in each callback. */
  readonly saved: Listener
  /** Resets that another tab has told its app of, and this one has not yet. */
  private readonly owed: { conversation: string; to: number }[] = []
  private starts = 0

  constructor(
    private readonly world: World,
    readonly device: Device,
    readonly name: string,
    private readonly random: SeededRandom,
  ) {
    this.saved = world.views.listener(name, device.user, device.host, true)
  }

  open(): void {
    if (this.run) return
    const { clock, crashed, network, views, trace } = this.world
    const { user, host } = this.device
    const process = new Process(`${this.name}.${++this.starts}`, clock, this.random.fork(this.starts), crashed)
    trace.note(process.name, 'open')
    const client = new WsRequest(`ws://sim/ws/${user}`, {
      runtime: process,
      socket: network.factory(process, host),
      store: this.device.storage.handle(process),
      token: () => Promise.resolve(user),
    })
    const plain = views.listener(process.name, user, host, false)
    this.run = { process, client, plain }
    const take = (listener: Listener) => (message: IMessage) => {
      this.shown(listener, message)
      return this.thinking(process)
    }
    client.onMessage(take(this.saved), { after: Object.fromEntries(this.saved.last) })
    client.onMessage(take(plain))
    client.on('reset', ({ conversation, to }) => this.reset(conversation, to))
    client.on('error', (error: KithwireError) => trace.note(process.name, 'error', `${error.code} ${error.message}`))
  }

  send(conversation: string, content: string): void {
    const { run, world } = this
    if (!run) return
    const { user, host } = this.device
    const sender = { user, device: host, tab: this.name, conversation, content, poison: content.includes(POISON) }
    const intent = world.ledger.sending(sender)
    world.trace.note(run.process.name, 'send', `${conversation} ${content.slice(0, 30)}`)
    run.client.send({ conversation, content }).then(
      ({ seq, id }) => {
        world.trace.note(run.process.name, 'sent', `${content.slice(0, 30)} is ${seq}`)
        world.ledger.acked(intent, seq, id)
      },
      (error: KithwireError) => {
        world.trace.note(run.process.name, 'failed', `${content.slice(0, 30)} ${error.code}`)
        // Who closes a tab is told nothing about what becomes of its outbox.
        if (error.code === 'closed') return
        world.ledger.failed(intent, error.code)
        world.wire.failed(host, content)
      },
    )
  }

  /** Kills the process. Without power its system cannot even say goodbye. */
  kill(power: boolean): void {
    const { run } = this
    if (!run) return
    this.run = undefined
    this.world.trace.note(run.process.name, 'kill', power ? 'power' : '')
    if (power) for (const link of this.world.network.open()) if (link.client.process === run.process) link.silence('up')
    run.process.kill()
    this.forget()
  }

  async close(): Promise<void> {
    const { run } = this
    if (!run) return
    await run.client.close()
    this.run = undefined
    this.forget()
  }

  /** Marks as read, looks at what was before, or types: whatever people do besides sending. */
  look(conversation: string, random: SeededRandom): void {
    const { run, world } = this
    if (!run) return
    const last = this.saved.last.get(conversation) ?? 0
    const ignore = () => {}
    if (random.chance(0.6)) {
      if (last === 0) return
      const unread = random.chance(0.2)
      if (unread) run.client.markUnread(conversation, random.integer(1, last)).catch(ignore)
      else run.client.markRead(conversation, last).catch(ignore)
    } else if (random.chance(0.5)) run.client.typing(conversation, true)
    else
      run.client
        .history(conversation, { before: last + 1, limit: 10 })
        .then((page) => world.views.page(page.items), ignore)
  }

  /** What the app does when it hears of a restored log: it forgets, in this tab and for those that are closed. */
  private reset(conversation: string, to: number): void {
    const { views, trace, wire } = this.world
    trace.note(this.name, 'reset', `${conversation} to ${to}`)
    wire.reset(this.device.host, conversation)
    const told = this.owed.findIndex((reset) => reset.conversation === conversation)
    if (told >= 0) this.owed.splice(told, 1)
    for (const tab of this.device.tabs)
      if (tab === this || !tab.run) views.reset(tab.saved, conversation, to)
      else if (told < 0) tab.owed.push({ conversation, to })
    if (this.run) views.reset(this.run.plain, conversation, to)
  }

  /** The tab is gone, but what its app has saved is the device's, where another tab has long forgotten what was reset. */
  private forget(): void {
    for (const { conversation, to } of this.owed.splice(0)) this.world.views.reset(this.saved, conversation, to)
  }

  /** An app that has something to do with each message. */
  private thinking(process: Process): Promise<void> | undefined {
    const { clock, plan } = this.world
    if (plan.thinking === 0) return undefined
    return process.awaits<void>((resolve) => {
      clock.setTimer(() => resolve(), this.random.integer(0, plan.thinking))
    })
  }

  private shown(listener: Listener, message: IMessage): void {
    this.world.trace.note(
      listener.name,
      'shown',
      `${message.conversation}/${message.seq} ${message.content.slice(0, 30)}`,
    )
    this.world.views.shown(listener, message)
  }
}

/** A device: a storage that lasts, and tabs that do not. */
export class Device {
  readonly storage: DeviceStorage
  readonly tabs: Tab[]
  readonly user: string
  readonly host: string
  /** Most ms of a local transaction. */
  readonly slowest: number

  constructor(world: World, plan: DevicePlan, random: SeededRandom) {
    this.user = plan.user
    this.host = plan.host
    this.slowest = plan.slowest
    this.storage = new DeviceStorage(world.clock, random.fork(1), plan, () => world.wire.started(plan.host))
    this.tabs = Array.from(
      { length: plan.tabs },
      (_, index) => new Tab(world, this, `${plan.host}-t${index + 1}`, random.fork(index + 2)),
    )
  }
}
