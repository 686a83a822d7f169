import type { IMessage } from '@kithwire/protocol'
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb'
import type { ConversationState, DeviceIdentity, OutboxItem } from '../client-store.js'

/** What a device keeps beside its conversations. One record, read by each transaction that changes the outbox. */
export interface Meta {
  identity?: DeviceIdentity
  /** The order of the next row of the outbox. */
  next: number
  /** Rows that wait, and the bytes of their content. */
  count: number
  bytes: number
}

/** What is known of a cid of the user's own. */
export interface CidRecord {
  /** Where it stood when it was queued; kept when the row leaves, as a reset may put it back. */
  place?: number
  /** The order of its row, while there is one. */
  order?: number
  /** Its row was set aside. */
  aside?: true
  /** The seq of its entry, while the device has it. */
  seq?: number
}

export interface ConversationRow {
  conversation: string
  state: ConversationState
  /** Entries that are kept. */
  held: number
}

export interface Schema extends DBSchema {
  meta: { key: string; value: Meta }
  conversations: { key: string; value: ConversationRow }
  entries: { key: [conversation: string, seq: number]; value: IMessage }
  cids: { key: [conversation: string, cid: string]; value: CidRecord }
  outbox: { key: [conversation: string, order: number]; value: OutboxItem; indexes: { queuedAt: number } }
  failed: { key: [conversation: string, order: number]; value: OutboxItem }
}

export type Database = IDBPDatabase<Schema>
export const STORES = ['meta', 'conversations', 'entries', 'cids', 'outbox', 'failed'] as const
export type RawTransaction = IDBPTransaction<Schema, typeof STORES, 'readwrite'>

/** From each version to the next one. Never change one that was released: add another. */
export const STEPS: readonly ((db: Database) => void)[] = [
  (db) => {
    db.createObjectStore('meta')
    db.createObjectStore('conversations', { keyPath: 'conversation' })
    db.createObjectStore('entries', { keyPath: ['conversation', 'seq'] })
    db.createObjectStore('cids')
    db.createObjectStore('outbox').createIndex('queuedAt', 'queuedAt')
    db.createObjectStore('failed')
  },
]

/**
 * Opens a database, and makes or upgrades it.
 *
 * @param lost the connection has ended, by the browser or because somebody wants to delete or upgrade the database
 */
export function openDatabase(name: string, lost: () => void, steps = STEPS): Promise<Database> {
  return openDB<Schema>(name, steps.length, {
    upgrade(db, from) {
      for (const step of steps.slice(from)) step(db)
    },
    blocking: (_from, _to, event) => {
      ;(event.target as IDBDatabase).close()
      lost()
    },
    terminated: lost,
  })
}
