import type { SendItem } from '@kithwire/protocol'
import type { Outcome, Send, Stored } from '../store.js'

/**
 * A batch, and what became of it, as one array of strings and numbers: what structured clone does for each object and
 * each of its keys costs three times as much as the texts that they hold.
 */
export type Flat = unknown[]

type Rest = Pick<SendItem, 'ref' | 'meta'>

/** Of each send: conversation, from, number of items; of each item: cid, type, content, and 0 or what else it has. */
export function flattenSends(sends: readonly Send[]): Flat {
  const flat: Flat = []
  for (const { conversation, from, items } of sends) {
    flat.push(conversation, from, items.length)
    for (const { cid, type, content, ref, meta } of items)
      flat.push(cid, type, content, ref === undefined && meta === undefined ? 0 : ({ ref, meta } satisfies Rest))
  }
  return flat
}

export function unflattenSends(flat: Flat): Send[] {
  const sends: Send[] = []
  for (let at = 0; at < flat.length; ) {
    const send = { conversation: flat[at++] as string, from: flat[at++] as string, items: [] as SendItem[] }
    for (let left = flat[at++] as number; left > 0; left--) {
      const item = { cid: flat[at++], type: flat[at++], content: flat[at++] } as SendItem
      const rest = flat[at++] as Rest | 0
      if (rest !== 0) {
        if (rest.ref !== undefined) item.ref = rest.ref
        if (rest.meta !== undefined) item.meta = rest.meta
      }
      send.items.push(item)
    }
    sends.push(send)
  }
  return sends
}

/** The time of an entry that this batch has made, which the asker knows. */
const NEW = -1

/** Of each send: what is refused, or 0, and the number of items stored; of each of those: seq, id, and when. */
export function flattenOutcomes(outcomes: readonly Outcome[]): Flat {
  const flat: Flat = []
  for (const { stored, refused } of outcomes) {
    flat.push(refused ?? 0, stored.length)
    for (const { seq, id, at, duplicate } of stored) flat.push(seq, id, duplicate ? at : NEW)
  }
  return flat
}

/** @param batchAt the time that the batch was given */
export function unflattenOutcomes(flat: Flat, batchAt: number): Outcome[] {
  const outcomes: Outcome[] = []
  for (let at = 0; at < flat.length; ) {
    const refused = flat[at++] as Outcome['refused'] | 0
    const stored: Stored[] = []
    for (let left = flat[at++] as number; left > 0; left--) {
      const seq = flat[at++] as number
      const id = flat[at++] as string
      const when = flat[at++] as number
      const duplicate = when !== NEW
      stored.push({ seq, id, at: duplicate ? when : batchAt, duplicate })
    }
    outcomes.push(refused ? { stored, refused } : { stored })
  }
  return outcomes
}
