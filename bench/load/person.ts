import type { Line, LineEvents } from './line.js'
import { Tally } from './tally.js'

/** What a person tells the crowd. */
export interface PersonEvents {
  ready(person: Person): void
  lost(person: Person): void
  acknowledged(since: number): void
  arrived(): void
}

/**
 * One device of a user. A message is on its way until it is acknowledged; so many at a time, and the next one is made
 * in the turn in which there is room. What was not acknowledged when the connection was lost is sent again.
 */
export class Person implements LineEvents {
  readonly tally = new Tally()
  online = false
  made = 0
  /** Messages that may be made in all. */
  most = 0
  private line: Line | undefined
  private readonly onTheirWay = new Map<number, number>()
  private filling = false

  constructor(
    private readonly events: PersonEvents,
    private readonly inFlight: number,
  ) {}

  use(line: Line): this {
    this.line = line
    return this
  }

  get waiting(): number {
    return this.onTheirWay.size
  }

  isUnderWay(n: number): boolean {
    return this.onTheirWay.has(n)
  }

  connect(): void {
    this.line!.connect()
  }

  drop(): void {
    this.online = false
    this.line!.destroy()
  }

  forget(): void {
    this.line!.forget()
    this.tally.restart()
  }

  tick(now: number): void {
    this.line!.tick(now)
  }

  /** May make messages until `most` are made. */
  go(most: number): void {
    this.most = most
    this.fill()
  }

  stop(): void {
    this.most = this.made
  }

  ready(): void {
    this.online = true
    if (this.onTheirWay.size > 0) this.line!.send([...this.onTheirWay.keys()])
    this.events.ready(this)
    this.fill()
  }

  lost(): void {
    this.online = false
    this.events.lost(this)
  }

  acknowledged(n: number): void {
    const since = this.onTheirWay.get(n)
    if (since === undefined) return
    this.onTheirWay.delete(n)
    this.events.acknowledged(since)
    if (this.filling) return
    this.filling = true
    // When all that came in this turn is read.
    process.nextTick(() => {
      this.filling = false
      this.fill()
    })
  }

  arrived(n: number): void {
    this.tally.add(n)
    this.events.arrived()
  }

  private fill(): void {
    if (!this.online) return
    const numbers: number[] = []
    const now = performance.now()
    while (this.onTheirWay.size < this.inFlight && this.made < this.most) {
      this.onTheirWay.set(++this.made, now)
      numbers.push(this.made)
    }
    if (numbers.length > 0) this.line!.send(numbers)
  }
}
