import { WsRequest } from '@kithwire/client'
import type { Made, View } from '../faults/oracle.js'
import { Lookers } from '../support/lookers.js'
import { Tap } from './tap.js'

/** Real clients: readers of one room, who may stop reading, and pairs who talk all the time. */
export class Audience {
  readonly made: Made[] = []
  readonly views: View[] = []
  /** Close codes that the readers were told, or met. */
  readonly closes = new Map<number, number>()
  private readonly readers: { client: WsRequest; tap: Tap }[] = []
  private readonly talkers: { client: WsRequest; user: string; conversation: string; shown: View['shown'] }[] = []
  private readonly lookers = new Lookers()
  private talking = false
  /** Words that were said and have not arrived. */
  private arriving = 0
  private latencies: number[] = []

  constructor(
    private readonly url: string,
    readers: number,
    pairs: number,
  ) {
    for (let index = 0; index < readers; index++) {
      const tap = new Tap()
      const { client } = this.join(`reader${index}`, 'radio', tap)
      client.on('state', (_phase, { from, code }) => {
        if (from === 'online') this.closes.set(code, (this.closes.get(code) ?? 0) + 1)
      })
      this.readers.push({ client, tap })
    }
    for (let index = 0; index < pairs; index++)
      for (const user of [`ann${index}`, `ben${index}`]) {
        const conversation = `pair-${index}`
        this.talkers.push({ user, conversation, ...this.join(user, conversation) })
      }
  }

  async online(): Promise<void> {
    await Promise.all([...this.readers, ...this.talkers].map(({ client }) => client.connected()))
  }

  /** Nobody in the room reads any more. */
  shut(): void {
    for (const { tap } of this.readers) tap.shut()
  }

  /** Every second one reads on where it stopped; the connections of the others are gone with all that was under way. */
  wake(): void {
    this.readers.forEach(({ tap }, index) => {
      if (index % 2 === 0) tap.open()
      else tap.drop()
    })
  }

  /** The pairs talk, one word after the other, until `hush`. */
  talk(): void {
    this.talking = true
    this.latencies = []
    this.talkers.forEach((talker, index) => {
      // The other one's view tells when a word has arrived.
      const other = this.talkers[index ^ 1]!
      const next = async () => {
        while (this.talking) await this.say(talker, other.shown)
      }
      void next()
    })
  }

  /** Resolves when the pairs have said so many words, all of which arrived. */
  said(words: number): Promise<void> {
    return this.lookers.until(() => this.latencies.length >= words)
  }

  /** Ends the talk; ms from saying something until the other one was shown it. */
  async hush(): Promise<{ words: number; p50: number; p99: number }> {
    this.talking = false
    await this.lookers.until(() => this.arriving === 0)
    const sorted = this.latencies.sort((a, b) => a - b)
    const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1))
    return { words: sorted.length, p50: at(0.5), p99: at(0.99) }
  }

  /** Resolves when every view ends at the head of its conversation, or after so many ms without. */
  caughtUp(radio: number, patienceMs: number): Promise<void> {
    const heads = new Map([['radio', radio]])
    for (const { conversation } of this.made) heads.set(conversation, (heads.get(conversation) ?? 0) + 1)
    const behind = new Set(this.views.filter(({ shown, conversation }) => shown.length < heads.get(conversation)!))
    const done = () => {
      for (const view of behind) {
        if (view.shown.length < heads.get(view.conversation)!) return false
        behind.delete(view)
      }
      return true
    }
    return new Promise((resolve) => {
      const late = setTimeout(resolve, patienceMs)
      void this.lookers.until(done).then(() => {
        clearTimeout(late)
        resolve()
      })
    })
  }

  async close(): Promise<void> {
    await Promise.all([...this.readers, ...this.talkers].map(({ client }) => client.close()))
  }

  private async say(talker: Audience['talkers'][number], arrives: View['shown']): Promise<void> {
    const { client, user, conversation } = talker
    const made: Made = { conversation, from: user, content: `${user} ${this.made.length}` }
    this.made.push(made)
    this.arriving++
    const begun = performance.now()
    const { cid, seq, id } = await client.send({ conversation, content: made.content })
    made.ack = { cid, seq, id }
    await this.lookers.until(() => arrives.length >= seq)
    this.latencies.push(performance.now() - begun)
    this.arriving--
    this.lookers.look()
  }

  private join(user: string, conversation: string, tap?: Tap) {
    const client = new WsRequest(this.url, { token: user, ...(tap && { socket: tap.socket }) })
    const shown: { seq: number; id: string; content: string }[] = []
    this.views.push({ device: user, conversation, shown })
    client.onMessage(
      ({ seq, id, content }) => {
        shown.push({ seq, id, content })
        this.lookers.look()
      },
      { after: { [conversation]: 0 } },
    )
    client.on('error', () => {})
    return { client, shown }
  }
}
