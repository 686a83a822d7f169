import type { Send } from '@kithwire/protocol'
import { acknowledge } from '../acknowledge.js'
import type { AppendRequest } from '../append-queue.js'
import type { Context } from '../context.js'
import { validPrefix } from '../items.js'
import { refuseSend } from '../refusals.js'
import type { Session } from '../session.js'
import type { Outcome } from '../store.js'

/** The whole story of a message: authorize, validate, rate, append, and only then hand out and acknowledge. */
export async function handleSend(context: Context, session: Session, send: Send): Promise<void> {
  const { authorizer, fanOut, rates } = context
  const { conversation } = send
  const from = session.user
  if (!context.takesSends || session.sending.has(conversation)) return session.send(refuseSend(send, 'busy'))
  session.sending.add(conversation)
  try {
    const access = await authorizer.check(conversation, from)
    if (access.refused) return await acknowledge(context, session, send, { stored: [] }, access.refused)
    const { valid, invalid } = validPrefix(send, context.isFile)
    const { granted, after } = rates.take(from, valid.length)
    const items = valid.slice(0, granted)
    const outcome = await append(context, session, { conversation, from, items })
    if (outcome === 'dropped') return
    fanOut.stored({ conversation, from, items }, outcome, access.members, session)
    const short = granted < valid.length ? 'rate_limited' : invalid
    await acknowledge(context, session, send, outcome, short, after)
  } catch (cause) {
    session.failure('send_failed', cause)
    session.send(refuseSend(send, 'store_unavailable'))
  } finally {
    session.sending.delete(conversation)
  }
}

/** Into the store, unless the socket is gone before it gets there: its device sends again on the next one. */
async function append({ queue }: Context, session: Session, request: AppendRequest): Promise<Outcome | 'dropped'> {
  if (!session.live) return 'dropped'
  if (request.items.length === 0) return { stored: [] }
  session.inbound.queued(request.items.length)
  try {
    return (await queue.append({ ...request, owner: session, device: session.key })) ?? 'dropped'
  } finally {
    session.inbound.unqueued(request.items.length)
  }
}
