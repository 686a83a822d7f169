import type { FakeClock, SeededRandom } from '@kithwire/protocol/testing'
import type { Bus, BusListener } from '@kithwire/server'
import type { Process } from './process.js'
import type { Trace } from './trace.js'

/** What becomes of hints. `lag`: the longest that one is on its way, ms; they overtake each other. */
export interface BusWeather {
  loss: number
  doubling: number
  lag: number
}

export const FAIR_BUS: Readonly<BusWeather> = Object.freeze({ loss: 0, doubling: 0, lag: 3 })

/** A hint of a version to come. */
const TOMORROW = '{"v":1,"node":"tomorrow","kind":"tomorrow","conversation":"ann-ben","news":[1]}'

/** Publish and subscribe between the servers of a world, with faults. It keeps nothing for who comes later. */
export class SimulatedBus {
  weather: BusWeather = { ...FAIR_BUS }
  /** Says that it is up, and carries nothing: neither hints nor confirmations. */
  mute = false
  up = true
  /** Conversations of whose change of members some server was not told. */
  readonly unheard = new Set<string>()
  readonly ends = new Set<BusEnd>()

  constructor(
    readonly clock: FakeClock,
    readonly random: SeededRandom,
    readonly trace: Trace,
    private readonly newer: boolean,
  ) {}

  connect(process: Process): Bus {
    const end = new BusEnd(this, process)
    this.ends.add(end)
    process.onExit(() => this.ends.delete(end))
    return end
  }

  /** Breaks: everything that is on its way is lost, and everybody notices. */
  crash(): void {
    if (!this.up) return
    this.up = false
    for (const end of this.ends) end.broke()
  }

  /** Comes back, with the subscriptions of those who are there. */
  restart(): void {
    if (this.up) return
    this.up = true
    for (const end of this.ends) end.back()
  }

  heal(): void {
    this.weather = { ...FAIR_BUS }
    this.mute = false
    this.restart()
    for (const end of this.ends) end.confirm()
  }

  publish(user: string, text: string): void {
    this.trace.note('bus', 'publish', `${user} ${text}`)
    if (this.newer && this.random.chance(0.05)) this.carry(user, TOMORROW)
    this.carry(user, text)
  }

  private carry(user: string, text: string): void {
    const { loss, doubling } = this.weather
    for (const end of this.ends) {
      const take = end.taker(user)
      if (take === undefined || !this.up) continue
      if (this.mute || this.random.chance(loss)) {
        const hint = JSON.parse(text)
        if (hint.kind === 'members') this.unheard.add(hint.conversation)
        continue
      }
      const copies = this.random.chance(doubling) ? 2 : 1
      for (let copy = 0; copy < copies; copy++) this.clock.setTimer(() => take(text), this.lag())
    }
  }

  lag(): number {
    return this.random.integer(0, this.weather.lag)
  }
}

/** One server's end. */
class BusEnd implements Bus {
  up: boolean
  private listener: BusListener | undefined
  private subscriptions = new Map<string, object>()
  private waiting: { user: string; subscription: object; confirmed(): void }[] = []

  constructor(
    private readonly bus: SimulatedBus,
    private readonly process: Process,
  ) {
    this.up = bus.up
  }

  listen(listener: BusListener | undefined): void {
    this.listener = listener
  }

  publish(user: string, text: string): void {
    if (this.process.alive) this.bus.publish(user, text)
  }

  subscribe(user: string): Promise<void> {
    const subscription = {}
    return this.process.awaits<void>((resolve) => {
      this.waiting.push({ user, subscription, confirmed: () => resolve() })
      this.bus.clock.setTimer(() => this.confirm(), this.bus.lag())
    })
  }

  unsubscribe(user: string): void {
    this.subscriptions.delete(user)
    this.waiting = this.waiting.filter((one) => one.user !== user)
  }

  confirm(): void {
    if (this.bus.mute || !this.bus.up) return
    for (const { user, subscription, confirmed } of this.waiting.splice(0)) {
      if (!this.subscriptions.has(user)) this.subscriptions.set(user, subscription)
      confirmed()
    }
  }

  broke(): void {
    // New marks for the same users: what is on its way now does not get here.
    this.subscriptions = new Map([...this.subscriptions.keys()].map((user) => [user, {}]))
    this.state(false)
  }

  back(): void {
    this.confirm()
    this.state(true)
  }

  /** What hands a text published now to this end, if it has subscribed. */
  taker(user: string): ((text: string) => void) | undefined {
    const subscription = this.subscriptions.get(user)
    if (subscription === undefined) return undefined
    return (text) => {
      if (this.subscriptions.get(user) !== subscription) return
      this.process.deliver(() => {
        if (this.subscriptions.has(user)) this.listener?.hint(user, text)
      })
    }
  }

  private state(up: boolean): void {
    this.process.deliver(() => {
      this.up = up
      this.listener?.state(up)
    })
  }
}
