import { WsRequest } from '@kithwire/client'
import { type Runtime, systemRuntime } from '@kithwire/protocol'
import { Lookers } from '../support/lookers.js'
import type { Made, Shown, Told, View } from './oracle.js'

/** Users mark as read what they were shown after so many messages. */
const READ_EACH = 25

/**
 * The real clocks and timers, with a hundredth of the jitter: a client that has lost its server many times in a row
 * waits up to 20 s, which is right for users and tells a test nothing.
 */
const impatient: Runtime = { ...systemRuntime, random: () => systemRuntime.random() / 100 }

/** Pairs of friends that write to each other without a pause, over whatever breaks beneath them. */
export class Load {
  readonly made: Made[] = []
  readonly views: View[] = []
  readonly told: Told[] = []
  acknowledged = 0
  /** What the connection of each user did last. */
  readonly states = new Map<string, string>()
  private readonly clients: WsRequest[] = []
  private readonly pending = new Set<Promise<unknown>>()
  private readonly failures: unknown[] = []
  /** Called whenever somebody was shown something. */
  private readonly lookers = new Lookers()
  /** Counts what happens, so that the oracle knows what came before what. */
  private moment = 0
  private stopped = false

  /**
   * @param url of the socket
   * @param pairs `[one, other, conversation]`
   * @param inFlight messages that each user keeps in flight
   */
  constructor(url: string, pairs: readonly (readonly [string, string, string])[], inFlight: number) {
    for (const [one, other, conversation] of pairs)
      for (const user of [one, other]) {
        const client = this.start(url, user, conversation)
        for (let index = 0; index < inFlight; index++) this.write(client, user, conversation)
      }
  }

  /** Stops writing; resolves when everything that was written is acknowledged and shown to both. */
  async finish(): Promise<void> {
    this.stopped = true
    await Promise.all(this.pending)
    if (this.failures.length > 0) throw new AggregateError(this.failures, 'A send was rejected.')
    // Each view has what its own user sent last; the other's is on its way.
    const heads = new Map<string, number>()
    for (const { conversation, ack } of this.made)
      heads.set(conversation, Math.max(heads.get(conversation) ?? 0, ack?.seq ?? 0))
    await this.until(() =>
      this.views.every(({ conversation, shown }) => (shown.at(-1)?.seq ?? 0) >= (heads.get(conversation) ?? 0)),
    )
  }

  /** Resolves as soon as a look after something was shown or acknowledged finds it true. */
  until(done: () => boolean): Promise<void> {
    return this.lookers.until(done)
  }

  /** The first thing that no client may ever be told. */
  get failure(): unknown {
    return this.failures[0]
  }

  close(): void {
    for (const client of this.clients) client.close()
  }

  private start(url: string, user: string, conversation: string): WsRequest {
    const client = new WsRequest(url, { token: user, runtime: impatient })
    const shown: Shown[] = []
    client.onMessage(({ seq, id, from, cid, content }) => {
      shown.push({ seq, id, from, cid, content })
      if (shown.length % READ_EACH === 0)
        client.markRead(conversation).catch((cause: unknown) => this.failures.push(cause))
      this.lookers.look()
    })
    client.on('state', (state, { code, reason }) => {
      this.states.set(user, `${user} is ${state}, ${code} ${reason}`)
      if (state === 'stopped') this.failures.push(new Error(`${user} was refused: ${code} ${reason}`))
    })
    client.on('marks', ({ marks }) => {
      for (const [of, delivered, read] of marks) this.told.push({ device: user, conversation, of, delivered, read })
    })
    this.clients.push(client)
    this.views.push({ device: user, conversation, shown })
    return client
  }

  private write(client: WsRequest, from: string, conversation: string): void {
    const count = this.made.length
    // Some longer than a page of the file.
    const made: Made = { conversation, from, content: `${from} ${count}${count % 50 ? '' : 'x'.repeat(5_000)}` }
    made.written = ++this.moment
    this.made.push(made)
    const sent = client
      .send({ conversation, content: made.content })
      .then(({ cid, seq, id }) => {
        made.ack = { cid, seq, id, moment: ++this.moment }
        this.acknowledged++
        this.lookers.look()
        if (!this.stopped) this.write(client, from, conversation)
      })
      .catch((cause) => this.failures.push(cause))
      .finally(() => this.pending.delete(sent))
    this.pending.add(sent)
  }
}
