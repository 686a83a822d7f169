import type { SendItem } from '@kithwire/protocol'
import type { Entry, Outcome, Send, Store, Stored } from '../store.js'
import { check, same } from './conformance.js'

/** What a case of the store suite works with. */
export interface StoreBench {
  /** A store without data. */
  open(): Promise<Store>
  /** Closes the store and opens its data again. Undefined for a store that is not durable. */
  reopen?(store: Store): Promise<Store>
  /** Another instance on the data of a store that stays open. */
  second?(store: Store): Promise<Store>
}

/** The n-th cid in the form of a UUIDv7, as clients send it. */
export const cid = (n: number): string => `0190b2a0-0000-7000-8000-${n.toString(16).padStart(12, '0')}`

export const text = (n: number, content = `message ${n}`): SendItem => ({ cid: cid(n), type: 'text', content })

export const send = (conversation: string, from: string, ...items: SendItem[]): Send => ({ conversation, from, items })

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)

/** Appends one send that must be stored as a whole. */
export async function put(store: Store, conversation: string, from: string, ...items: SendItem[]): Promise<Stored[]> {
  const [outcome] = await store.append([send(conversation, from, ...items)])
  return whole(outcome, items.length)
}

export function whole(outcome: Outcome | undefined, count: number): Stored[] {
  check(outcome !== undefined, 'append: expected one outcome per send.')
  same(outcome.refused, undefined, 'nothing is refused')
  same(outcome.stored.length, count, 'every item has a result')
  return outcome.stored
}

/** The whole log, read in pages, each of which must begin where the one before ended. */
export async function readAll(store: Store, conversation: string): Promise<Entry[]> {
  const entries: Entry[] = []
  for (;;) {
    const page = await store.read(conversation, { after: entries.length, limit: 200 })
    if (page.length === 0) return entries
    entries.push(...page)
    same(seqs(entries), range(1, entries.length), `the log of ${conversation} has no gap`)
  }
}

export const seqs = (entries: readonly { seq: number }[]): number[] => entries.map(({ seq }) => seq)
export const contents = (entries: readonly Entry[]): string[] => entries.map(({ content }) => content)
