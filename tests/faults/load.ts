import { WsRequest } from '@kithwire/client'
import type { Made, View } from './oracle.js'

/** Pairs of friends that write to each other without a pause, over whatever breaks beneath them. */
export class Load {
  readonly made: Made[] = []
  readonly views: View[] = []
  private readonly clients: WsRequest[] = []
  private readonly pending = new Set<Promise<unknown>>()
  private readonly failures: unknown[] = []
  /** Called whenever somebody was shown something. */
  private readonly lookers = new Set<() => void>()
  private stopped = false

  /**
   * @param url of the socket
   * @param pairs `[one, other, conversation]`
   * @param inFlight messages that each user keeps in flight
   */
  constructor(url: string, pairs: readonly (readonly [string, string, string])[], inFlight: number) {
    for (const [one, other, conversation] of pairs)
      for (const user of [one, other]) {
        const client = new WsRequest(url, { token: user })
        const shown: { seq: number; id: string; content: string }[] = []
        client.onMessage(({ seq, id, content }) => {
          shown.push({ seq, id, content })
          this.look()
        })
        this.clients.push(client)
        this.views.push({ device: user, conversation, shown })
        for (let index = 0; index < inFlight; index++) this.write(client, user, conversation)
      }
  }

  get acknowledged(): number {
    return this.made.filter(({ ack }) => ack !== undefined).length
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
    return new Promise((resolve) => {
      const look = () => {
        if (!done()) return
        this.lookers.delete(look)
        resolve()
      }
      this.lookers.add(look)
      look()
    })
  }

  close(): void {
    for (const client of this.clients) client.close()
  }

  private look(): void {
    for (const look of this.lookers) look()
  }

  private write(client: WsRequest, from: string, conversation: string): void {
    const made: Made = { conversation, from, content: `${from} ${this.made.length}` }
    this.made.push(made)
    const sent = client
      .send({ conversation, content: made.content })
      .then(({ cid, seq, id }) => {
        made.ack = { cid, seq, id }
        this.look()
        if (!this.stopped) this.write(client, from, conversation)
      })
      .catch((cause) => this.failures.push(cause))
      .finally(() => this.pending.delete(sent))
    this.pending.add(sent)
  }
}
