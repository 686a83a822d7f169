import { type WsRequest as Client, MemoryClientStore, WsRequest } from '@kithwire/client'
import { FakeClock } from '@kithwire/protocol/testing'
import type { Made, View } from '../faults/oracle.js'

/** A send with the moments at which it was made and acknowledged, counted over the whole session. */
export interface Told extends Made {
  begun: number
  done?: number
}

/** What both devices and the app share: one count of moments, and somebody to tell when something happened. */
export interface Stage {
  /** The next moment. */
  moment(): number
  happened(): void
}

export interface DeviceOptions {
  url: string
  user: string
  seed: number
  /** All that it will ever be in; each is shown from its first entry. */
  conversations: readonly string[]
  stage: Stage
  store?: MemoryClientStore
}

/** A real client on a real socket whose time stands still until it is moved. */
export class Device {
  readonly user: string
  readonly clock: FakeClock
  readonly store: MemoryClientStore
  readonly client: Client
  readonly told: Told[] = []
  readonly views: View[]
  /** How often it tried to connect. */
  tries = 0
  /** How far the other one is, by what this one was told. */
  readonly heard = { delivered: 0, read: 0, wrong: [] as string[] }
  /** Pages of history that it was given. */
  readonly pages: { conversation: string; items: readonly { seq: number; id: string; content: string }[] }[] = []
  private readonly stage: Stage

  constructor({ url, user, seed, conversations, stage, store = new MemoryClientStore() }: DeviceOptions) {
    this.user = user
    this.stage = stage
    this.store = store
    this.clock = new FakeClock({ seed })
    this.client = new WsRequest(url, { token: `${user}.1`, runtime: this.clock, store, autoConnect: false })
    this.views = conversations.map((conversation) => ({ device: user, conversation, shown: [] }))
    const shown = new Map(this.views.map((view) => [view.conversation, view.shown as View['shown'][number][]]))
    const after = Object.fromEntries(conversations.map((conversation) => [conversation, 0]))
    this.client.onMessage(
      ({ conversation, seq, id, content }) => {
        shown.get(conversation)?.push({ seq, id, content })
        stage.happened()
      },
      { after },
    )
    this.client.on('state', (phase) => {
      if (phase === 'connecting') this.tries++
      stage.happened()
    })
    this.client.on('marks', ({ conversation, marks }) => {
      if (conversation === conversations[0]) for (const [, delivered, read] of marks) this.hear(delivered, read)
      stage.happened()
    })
    // A refused mark or a lost probe is no failure of a promise; what is, shows in the end.
    this.client.on('error', () => stage.happened())
  }

  /** Sends; resolves once it is acknowledged. */
  async say(conversation: string, content: string, more: { meta?: { [name: string]: string } } = {}): Promise<void> {
    const told: Told = { conversation, from: this.user, content, begun: this.stage.moment() }
    this.told.push(told)
    const { cid, seq, id } = await this.client.send({ conversation, content, ...more })
    told.ack = { cid, seq, id }
    told.done = this.stage.moment()
    this.stage.happened()
  }

  async readHistory(conversation: string, limit: number): Promise<void> {
    const { items } = await this.client.history(conversation, { limit })
    this.pages.push({ conversation, items })
  }

  /** How much of a conversation it was shown. */
  seen(conversation: string): number {
    return this.views.find((view) => view.conversation === conversation)?.shown.length ?? 0
  }

  /**
   * Moves its time to the next timer if time is all that it waits for. `dead`: nothing comes through to it any more, so
   * that only its own patience ends this.
   */
  step(dead: boolean): boolean {
    const wait = this.clock.untilNext()
    if (wait === undefined) return false
    const { state } = this.client
    // Online it may wait for a pull or a receipt, which take a second at most, and must not lose patience meanwhile.
    const waits = dead || state === 'waiting' || (state === 'online' && wait <= 2_000)
    return waits && this.clock.step()
  }

  private hear(delivered: number, read: number): void {
    if (delivered < this.heard.delivered || read < this.heard.read)
      this.heard.wrong.push(`I10 ${this.user}: marks went back to ${delivered}, ${read}`)
    this.heard.delivered = Math.max(delivered, this.heard.delivered)
    this.heard.read = Math.max(read, this.heard.read)
  }
}
