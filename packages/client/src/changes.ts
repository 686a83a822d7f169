import { KithwireError } from '@kithwire/protocol'
import type { ClientStore, ConversationChange, StoreChange } from './client-store.js'
import type { Emit } from './events.js'
import type { Outbox } from './outbox.js'
import type { Outgoing } from './outgoing.js'
import type { Pending } from './pending.js'
import type { Places } from './places.js'
import type { Receipts } from './receipts.js'
import type { Signals } from './signals.js'
import type { Subscriptions } from './subscriptions.js'
import type { TabMessage } from './tabs.js'

export interface ChangeHooks {
  store: ClientStore
  subscriptions: Subscriptions
  outbox: Outbox
  outgoing: Outgoing
  places: Places
  pending: Pending
  receipts: Receipts
  signals: Signals
  /** Whether this client has a socket of its own. */
  online(): boolean
  /** What this client stands on is gone. */
  gone(why: 'lost' | 'wiped'): void
  /** Another client over the store has said something. */
  heard(from: string, message: TabMessage): void
  emit: Emit
  error(error: unknown): void
}

/** What the store tells of itself, whichever tab caused it: who must look, and what the app is told. */
export class Changes {
  constructor(private readonly hooks: ChangeHooks) {}

  look(change: StoreChange): void {
    const { hooks } = this
    if (change.kind === 'trouble') hooks.error(change.error)
    else if (change.kind === 'lost' || change.kind === 'wiped') hooks.gone(change.kind)
    else if (change.kind === 'tab') hooks.heard(change.from, change.message)
    else if (change.kind === 'behind') hooks.emit('behind', change.conversations)
    else if (change.kind === 'who') hooks.signals.answer()
    else this.lookAt(change)
  }

  private lookAt(change: ConversationChange): void {
    const { store, subscriptions, outbox, outgoing, places, pending, receipts, signals, emit, error } = this.hooks
    const { conversation } = change
    outgoing.look(change)
    places.look(change)
    switch (change.kind) {
      case 'queued':
        outbox.wake(conversation)
        break
      case 'sent': {
        const { cid, seq, id, at } = change
        outbox.settled(conversation, cid)
        pending.sent({ conversation, cid, seq, id, at })
        emit('sent', { conversation, cid, seq, id, at })
        break
      }
      case 'failed':
        pending.failed(conversation, change.cid, change.code)
        emit('failed', { conversation, cid: change.cid, error: new KithwireError(change.code) })
        break
      case 'gap':
        emit('gap', { conversation, from: change.from, to: change.to })
        subscriptions.look(conversation)
        break
      case 'marks':
        emit('marks', { conversation, marks: change.marks })
        break
      case 'unread':
      case 'read':
        receipts.touch(conversation)
        break
      case 'signal':
        signals.hear(change)
        break
      case 'applied':
      case 'reset':
        subscriptions.look(conversation)
        // Without a socket of its own, a tab hears of its messages through the store alone.
        if (!this.hooks.online()) pending.check(store, conversation).catch(error)
    }
  }

  /** Looks for changes that nobody told: whoever made them may have ended first. */
  catchUp(): void {
    const { store, subscriptions, outbox, pending, error } = this.hooks
    const look = async () => {
      for (const conversation of await store.waiting()) outbox.wake(conversation)
      for (const state of await store.conversations()) subscriptions.catchUp(state)
      await pending.checkAll(store)
    }
    look().catch(error)
  }
}
