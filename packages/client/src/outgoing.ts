import type { ClientStore, ConversationChange, OutboxItem } from './client-store.js'
import type { ClientEvents, OutgoingItem } from './events.js'

/**
 * What became of each row of the outbox so far, for every client of the store: rows are in the store, and which of them
 * are on their way is told by the client that has the socket.
 */
export class Outgoing {
  /** Cids that are written on a socket and not answered. */
  private readonly flights = new Map<string, ReadonlySet<string>>()

  constructor(
    private readonly store: ClientStore,
    private readonly emit: (change: ClientEvents['outgoing'][0]) => void,
    private readonly error: (error: unknown) => void,
  ) {}

  async rows(conversation?: string): Promise<OutgoingItem[]> {
    const rows = await this.store.outgoing(conversation)
    return rows.map((row) => ({ ...row, state: this.stateOf(row) }))
  }

  look(change: ConversationChange): void {
    const { conversation } = change
    switch (change.kind) {
      case 'queued':
      case 'discarded':
        this.emit({ conversation, cid: change.cid, state: change.kind })
        break
      case 'failed':
        this.landed(conversation, change.cid)
        this.emit({ conversation, cid: change.cid, state: 'failed', code: change.code })
        break
      case 'sent':
        this.landed(conversation, change.cid)
        this.emit({ conversation, cid: change.cid, state: 'stored' })
        break
      case 'flight':
        this.flying(conversation, new Set(change.cids)).catch(this.error)
    }
  }

  private stateOf({ conversation, cid, failed }: OutboxItem): OutgoingItem['state'] {
    if (failed !== undefined) return 'failed'
    return this.flights.get(conversation)?.has(cid) ? 'sent' : 'queued'
  }

  private landed(conversation: string, cid: string): void {
    const cids = new Set(this.flights.get(conversation))
    if (cids.delete(cid)) this.flights.set(conversation, cids)
  }

  private async flying(conversation: string, cids: ReadonlySet<string>): Promise<void> {
    const before = this.flights.get(conversation) ?? new Set()
    if (cids.size > 0) this.flights.set(conversation, cids)
    else this.flights.delete(conversation)
    for (const cid of cids) if (!before.has(cid)) this.emit({ conversation, cid, state: 'sent' })
    for (const cid of before) {
      if (cids.has(cid)) continue
      // It may have been settled meanwhile, and the news of that may still come.
      const outcome = await this.store.outcome(conversation, cid)
      if (outcome?.state === 'queued' && !this.flights.get(conversation)?.has(cid))
        this.emit({ conversation, cid, state: 'queued' })
    }
  }
}
