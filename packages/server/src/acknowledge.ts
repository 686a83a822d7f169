import {
  type Ack,
  type AckItem,
  isId,
  type Refusal,
  type Send,
  WIRE_ERRORS,
  type WireErrorCode,
} from '@kithwire/protocol'
import type { Context } from './context.js'
import { refusal } from './refusals.js'
import type { Session } from './session.js'
import type { Outcome, Stored } from './store.js'

/**
 * The one `ack` that answers a `send`: what was stored, then why the next item was not. Before a refusal that
 * will never change, the cids are looked up, behind everything that this device has on its way to the store: what is
 * there is a duplicate whatever is wrong with it now, or a device would show as failed what others have read.
 *
 * @param short why not all items were tried, if so
 * @param after ms until the rate allows the next item
 */
export async function acknowledgement(
  context: Context,
  session: Session,
  send: Send,
  outcome: Outcome,
  short: WireErrorCode | undefined,
  after?: number,
): Promise<Ack> {
  const cids = send.items.map(({ cid }) => cid)
  if (send.invalid !== undefined) cids.push(send.invalid.cid)
  const items = outcome.stored.map((stored, index) => ackItem(cids[index]!, stored))
  let code = outcome.refused?.code ?? short
  // The store itself has found the cid of a conflict.
  if (code !== undefined && !WIRE_ERRORS[code].retry && code !== 'cid_conflict') {
    try {
      items.push(...(await findStored(context, session, send.conversation, cids.slice(items.length))))
    } catch (cause) {
      session.failure('find_failed', cause)
      code = 'store_unavailable'
    }
  }
  const next = cids[items.length]
  let refused: Refusal | undefined
  if (code !== undefined && next !== undefined)
    refused = { cid: next, ...refusal(code, code === 'rate_limited' ? after : undefined) }
  return { t: 'ack', re: send.n, conversation: send.conversation, items, ...(refused && { refused }) }
}

/** The first of these cids that are in the log, as far as they go without one that is not. */
async function findStored(
  { queue, store }: Context,
  session: Session,
  conversation: string,
  cids: readonly string[],
): Promise<AckItem[]> {
  await queue.settled(session.key)
  const bad = cids.findIndex((cid) => !isId(cid))
  const usable = bad < 0 ? cids : cids.slice(0, bad)
  if (usable.length === 0) return []
  const found = await store.find(conversation, session.user, usable)
  const items: AckItem[] = []
  for (const [index, stored] of found.entries()) {
    if (stored === undefined) break
    items.push(ackItem(usable[index]!, { ...stored, duplicate: true }))
  }
  return items
}

/** The `ack` of a send of which everything is stored. */
export const acknowledged = ({ n, conversation, items }: Send, { stored }: Outcome): Ack => ({
  t: 'ack',
  re: n,
  conversation,
  items: stored.map((each, index) => ackItem(items[index]!.cid, each)),
})

export const ackItem = (cid: string, { seq, id, at, duplicate }: Stored): AckItem =>
  duplicate ? { cid, seq, id, at, duplicate } : { cid, seq, id, at }
