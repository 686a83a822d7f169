import type { ClientStore } from '../client-store.js'

/** Everything of the contract that is one transaction, and whether it only reads. */
export const TRANSACTIONS = {
  attempt: false,
  renew: false,
  claim: false,
  conversations: true,
  conversation: true,
  meet: false,
  apply: false,
  skip: false,
  reset: false,
  mark: false,
  move: false,
  messages: true,
  last: true,
  enqueue: false,
  waiting: true,
  queued: true,
  outgoing: true,
  fail: false,
  discard: false,
  retry: false,
  outcome: true,
} as const satisfies Partial<Record<keyof ClientStore, boolean>>

export type TransactionName = keyof typeof TRANSACTIONS
