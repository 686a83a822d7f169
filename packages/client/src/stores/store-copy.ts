import type { IMessage } from '@kithwire/protocol'
import type { ConversationState, DeviceIdentity, OutboxItem } from '../client-store.js'
import { MemoryClientStore } from './memory.js'

/** Everything that a store holds, as data. */
export interface StoreCopy {
  identity: DeviceIdentity | undefined
  conversations: { state: ConversationState; log: IMessage[] }[]
  /** Rows in their order, those that were set aside among them. */
  outbox: OutboxItem[]
  /** Where cids stood when they were queued. */
  places: [conversation: string, cid: string, place: number][]
}

/** A store in memory that begins as a copy of another one, and can be copied. */
export class CopyableStore extends MemoryClientStore {
  load({ identity, conversations, outbox, places }: StoreCopy): void {
    this.identity = identity
    for (const { state, log } of conversations) {
      const own = log.filter((entry) => entry.from === identity?.user).map((entry) => [entry.cid, entry] as const)
      this.rows.set(state.conversation, { state, log, own: new Map(own) })
    }
    for (const item of outbox) this.outbox.put(item)
    for (const [conversation, cid, place] of places) this.outbox.restore(conversation, cid, place)
  }

  copy(): StoreCopy {
    return {
      identity: this.identity,
      conversations: [...this.rows.values()].map(({ state, log }) => ({ state, log })),
      ...this.outbox.copy(),
    }
  }
}
