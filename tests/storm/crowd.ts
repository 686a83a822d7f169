import { type WsRequest as Client, WsRequest } from '@kithwire/client'
import type { Made, View } from '../faults/oracle.js'

interface Person {
  user: string
  conversation: string
  client: Client
  /** Tries of this round, until it was back. */
  tries: number
  /** Ms from the start of the round until it was online; undefined until then. */
  back: number | undefined
}

/** What a round was like, for all of the crowd. */
export interface Round {
  /** Ms until everybody was back, and until half of them were. */
  allMs: number
  halfMs: number
  /** How many needed so many tries. */
  tries: Record<number, number>
}

/** Twice what anything here may take. */
const HANG_MS = 120_000

/** Many users with one real client each. */
export class Crowd {
  readonly made: Made[] = []
  readonly views: View[] = []
  readonly failures: unknown[] = []
  acknowledged = 0
  online = 0
  private shown = 0
  private back = 0
  private begun = 0
  private readonly people: Person[] = []
  private readonly lookers = new Set<() => void>()

  /** @param pairs `[one, other, conversation]` */
  constructor(
    private readonly url: string,
    private readonly pairs: readonly (readonly [string, string, string])[],
  ) {}

  /** Everybody comes, some hundreds at a time, as on a quiet morning. */
  async gather(): Promise<void> {
    for (let first = 0; first < this.pairs.length; first += 200) {
      for (const [one, other, conversation] of this.pairs.slice(first, first + 200))
        for (const user of [one, other]) this.people.push(this.join(this.url, user, conversation))
      await this.until(() => this.online === this.people.length)
    }
  }

  get size(): number {
    return this.people.length
  }

  /** Everybody says something. */
  speak(): void {
    for (const { client, user, conversation } of this.people) {
      const made: Made = { conversation, from: user, content: `${user} ${this.made.length}` }
      this.made.push(made)
      client.send({ conversation, content: made.content }).then(
        ({ cid, seq, id }) => {
          made.ack = { cid, seq, id }
          this.acknowledged++
          this.look()
        },
        (cause) => {
          this.failures.push(cause)
          this.look()
        },
      )
    }
  }

  /** From here on, whoever comes online is back. */
  begin(): void {
    this.begun = performance.now()
    this.back = 0
    for (const person of this.people) {
      person.back = undefined
      person.tries = 0
    }
  }

  /** The server listens again: only tries count that could succeed, one that is under way among them. */
  reachable(): void {
    this.begun = performance.now()
    for (const person of this.people) {
      const { state } = person.client
      person.tries = person.back !== undefined || state === 'connecting' || state === 'greeting' ? 1 : 0
    }
  }

  /** Resolves when everybody is back. */
  async round(): Promise<Round> {
    await this.until(() => this.back === this.size)
    const times = this.people.map(({ back }) => back ?? 0).sort((a, b) => a - b)
    const tries: Record<number, number> = {}
    for (const person of this.people) tries[person.tries] = (tries[person.tries] ?? 0) + 1
    return { allMs: Math.round(times.at(-1) ?? 0), halfMs: Math.round(times[times.length >> 1] ?? 0), tries }
  }

  /** Resolves when everything that was said is acknowledged and shown to both, or something failed for good. */
  finish(): Promise<void> {
    // Each message is shown to its sender and to the other one.
    return this.until(
      () => this.failures.length > 0 || (this.acknowledged === this.made.length && this.shown === 2 * this.made.length),
    )
  }

  /** Resolves as soon as a look after something happened finds it true. Rejects if that takes far too long. */
  until(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.lookers.delete(look)
        const { online, back, acknowledged, shown, made } = this
        const counts = { online, back, acknowledged, shown, made: made.length, of: this.size }
        reject(new Error(`Hang: ${JSON.stringify(counts)}`))
      }, HANG_MS)
      const look = () => {
        if (!done()) return
        this.lookers.delete(look)
        clearTimeout(late)
        resolve()
      }
      this.lookers.add(look)
      look()
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.people.map(({ client }) => client.close()))
  }

  private join(url: string, user: string, conversation: string): Person {
    const client = new WsRequest(url, { token: user })
    const person: Person = { user, conversation, client, tries: 0, back: undefined }
    const shown: { seq: number; id: string; content: string }[] = []
    this.views.push({ device: user, conversation, shown })
    client.onMessage(
      ({ seq, id, content }) => {
        shown.push({ seq, id, content })
        this.shown++
        this.look()
      },
      { after: { [conversation]: 0 } },
    )
    client.on('state', (phase, { from }) => {
      if (from === 'online') this.online--
      if (phase === 'connecting' && person.back === undefined) person.tries++
      if (phase === 'online') this.arrive(person)
      this.look()
    })
    client.on('error', () => {})
    return person
  }

  private arrive(person: Person): void {
    this.online++
    if (person.back !== undefined) return
    person.back = performance.now() - this.begun
    this.back++
  }

  private look(): void {
    for (const look of this.lookers) look()
  }
}
