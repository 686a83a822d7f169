import { type Counts, type Exactness, type LoadPlan, name, type Result } from '../messages.js'
import { ArticleLine } from './article-line.js'
import { KithwireLine } from './kithwire-line.js'
import { Latency } from './latency.js'
import type { Line, LineEvents, LineTarget } from './line.js'
import { Person } from './person.js'
import { RelayLine } from './relay-line.js'
import { SocketIoLine } from './socket-io-line.js'

const LINES: Record<string, (target: LineTarget, events: LineEvents) => Line> = {
  relay: (...rest) => new RelayLine(...rest),
  'socket-io': (...rest) => new SocketIoLine(false, ...rest),
  'socket-io-stored': (...rest) => new SocketIoLine(true, ...rest),
  article: (...rest) => new ArticleLine(...rest),
  kithwire: (...rest) => new KithwireLine(...rest),
}

/** Ms without anything new after which what has not come is lost. */
const QUIET_MS = 1_500
/** Handshakes under way at once, unless everybody is to come at once. */
const AT_ONCE = 100
/** Ms until a lost connection is tried again. */
const RETRY_MS = 20

/** All users of one run. */
export class Crowd {
  private readonly people = new Map<number, Person[]>()
  private readonly latency = new Latency()
  private readonly timer: NodeJS.Timeout
  private acknowledged = 0
  private arrived = 0
  private welcomed = 0
  private away = false
  private changed: (() => void) | undefined

  constructor(private readonly plan: LoadPlan) {
    this.timer = setInterval(() => {
      const now = performance.now()
      for (const person of this.all()) person.tick(now)
    }, 50)
  }

  /** Connects everybody, or these users, some at a time. */
  async connect(only?: readonly number[]): Promise<{ ms: number; welcomed: number }> {
    const { world } = this.plan
    const users = only ?? Array.from({ length: world.users }, (_, user) => user)
    const people = users.flatMap((user) => Array.from({ length: world.devices }, () => this.person(user)))
    const start = performance.now()
    let next = 0
    await this.until(() => {
      while (next < people.length && next - this.welcomed < AT_ONCE) people[next++]!.connect()
      return this.welcomed === people.length
    })
    return { ms: performance.now() - start, welcomed: this.welcomed }
  }

  start(): void {
    this.latency.restart()
    // Of several devices of a user one writes.
    for (const [user, people] of this.people)
      if (!this.plan.oneWay || user % 2 === 0) people[0]!.go(Number.POSITIVE_INFINITY)
  }

  async write(user: number, messages: number): Promise<void> {
    const [person] = this.people.get(user)!
    person!.go(person!.made + messages)
    await this.until(() => person!.made === person!.most && person!.waiting === 0)
  }

  count(): Counts {
    return { acknowledged: this.acknowledged, arrived: this.arrived, at: performance.now() }
  }

  drop(stay: boolean): void {
    this.away = stay
    this.welcomed = 0
    for (const person of this.all()) {
      person.drop()
      if (!stay) person.connect()
    }
  }

  /** Everybody at once, as after a restart of the server. */
  async return(anew: boolean): Promise<{ ms: number; welcomed: number }> {
    this.away = false
    const start = performance.now()
    const people = [...this.all()]
    this.welcomed = people.filter(({ online }) => online).length
    for (const person of people) {
      if (anew) person.forget()
      if (!person.online) person.connect()
    }
    await this.until(() => this.welcomed === people.length)
    return { ms: performance.now() - start, welcomed: this.welcomed }
  }

  async finish(): Promise<Result> {
    for (const person of this.all()) person.stop()
    await this.quiet()
    const [p50, p99] = [this.latency.percentile(0.5), this.latency.percentile(0.99)]
    return { ...this.count(), exactness: this.exactness(), p50, p99 }
  }

  close(): void {
    clearInterval(this.timer)
    for (const person of this.all()) person.drop()
  }

  private person(user: number): Person {
    const { world, conversations, inFlight, port, wire } = this.plan
    const star = world.shape === 'star'
    const index = star ? Math.max(0, user - 1) : user >> 1
    const friend = !star ? user ^ 1 : user === 0 ? 1 : 0
    const person: Person = new Person(
      {
        ready: () => {
          this.welcomed++
          this.changed?.()
        },
        lost: () => {
          if (!this.away) setTimeout(() => !this.away && person.connect(), RETRY_MS)
        },
        acknowledged: (since) => {
          this.acknowledged++
          this.latency.add(performance.now() - since)
          this.changed?.()
        },
        arrived: () => {
          this.arrived++
          this.changed?.()
        },
      },
      inFlight,
    )
    const target = { port, user: name(user), friend: name(friend), conversation: conversations[index] ?? '' }
    const people = this.people.get(user)
    if (people === undefined) this.people.set(user, [person])
    else people.push(person)
    return person.use(LINES[wire]!(target, person))
  }

  private all(): Person[] {
    return [...this.people.values()].flat()
  }

  /** Resolves when all that was made has come, or nothing has come for a while. */
  private quiet(): Promise<void> {
    let last = performance.now()
    return new Promise((resolve) => {
      const check = setInterval(() => {
        if (performance.now() - last > QUIET_MS || this.settled()) end()
      }, 20)
      const end = () => {
        clearInterval(check)
        this.changed = undefined
        resolve()
      }
      this.changed = () => {
        last = performance.now()
      }
    })
  }

  private settled(): boolean {
    return this.all().every(({ waiting }) => waiting === 0) && this.losses().every(({ lost }) => lost.length === 0)
  }

  /** For each device, what its user's friend has made and it has not got. */
  private losses(): { person: Person; from: Person; lost: number[] }[] {
    if (this.plan.world.shape === 'star') return []
    return [...this.people].flatMap(([user, people]) => {
      const from = this.people.get(user ^ 1)?.[0]
      return from === undefined ? [] : people.map((person) => ({ person, from, lost: person.tally.lost(from.made) }))
    })
  }

  private exactness(): Exactness {
    const exactness = { lost: 0, double: 0, outOfOrder: 0, acknowledgedButLost: 0 }
    for (const { person, from, lost } of this.losses()) {
      exactness.lost += lost.length
      exactness.acknowledgedButLost += lost.filter((n) => !from.isUnderWay(n)).length
      exactness.double += person.tally.double
      exactness.outOfOrder += person.tally.outOfOrder
    }
    return exactness
  }

  private until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!done()) return
        this.changed = undefined
        resolve()
      }
      this.changed = look
      look()
    })
  }
}
