import { KithwireError, type KithwireErrorCode } from '@kithwire/protocol'
import type { ClientStore } from './client-store.js'
import type { Sent } from './events.js'

interface Waiting {
  resolve(sent: Sent): void
  reject(error: KithwireError): void
}

/** Promises of `send()`, by conversation and cid, until it is known what became of the message. */
export class Pending {
  private readonly conversations = new Map<string, Map<string, Waiting[]>>()

  constructor(private readonly report: (cause: unknown) => void) {}

  /** Queues a message; the promise says what became of it. */
  track(conversation: string, cid: string, queue: () => Promise<void>): Promise<Sent> {
    const sent = new Promise<Sent>((resolve, reject) => {
      this.wait(conversation, cid, { resolve, reject })
      queue().catch((cause: unknown) => {
        this.failed(conversation, cid, 'store_failed')
        this.report(cause)
      })
    })
    // Whoever sends without waiting, as the article does, hears of failures by event. It must not end their process.
    sent.catch(() => {})
    return sent
  }

  private wait(conversation: string, cid: string, waiting: Waiting): void {
    const cids = this.conversations.get(conversation) ?? new Map<string, Waiting[]>()
    this.conversations.set(conversation, cids)
    cids.set(cid, [...(cids.get(cid) ?? []), waiting])
  }

  /** Looks up what became of the cids of a conversation that somebody waits for. */
  async check(store: ClientStore, conversation: string): Promise<void> {
    for (const cid of [...(this.conversations.get(conversation)?.keys() ?? [])]) {
      const outcome = await store.outcome(conversation, cid)
      if (outcome?.state === 'failed') this.failed(conversation, cid, outcome.code)
      else if (outcome?.state === 'stored') {
        const { seq, id, at } = outcome
        this.sent({ conversation, cid, seq, id, at })
      }
    }
  }

  async checkAll(store: ClientStore): Promise<void> {
    for (const conversation of [...this.conversations.keys()]) await this.check(store, conversation)
  }

  sent(sent: Sent): void {
    for (const { resolve } of this.take(sent.conversation, sent.cid)) resolve(sent)
  }

  failed(conversation: string, cid: string, code: KithwireErrorCode): void {
    for (const { reject } of this.take(conversation, cid)) reject(new KithwireError(code))
  }

  rejectAll(code: KithwireErrorCode, message: string): void {
    for (const cids of this.conversations.values())
      for (const list of cids.values()) for (const { reject } of list) reject(new KithwireError(code, message))
    this.conversations.clear()
  }

  private take(conversation: string, cid: string): Waiting[] {
    const cids = this.conversations.get(conversation)
    const list = cids?.get(cid) ?? []
    cids?.delete(cid)
    if (cids?.size === 0) this.conversations.delete(conversation)
    return list
  }
}
