import type { Ack, Send } from '@kithwire/protocol'
import { acknowledgement } from '../acknowledge.js'
import type { AppendRequest } from '../append-queue.js'
import type { Context } from '../context.js'
import { validPrefix } from '../items.js'
import { refuseSend } from '../refusals.js'
import type { Session } from '../session.js'
import type { Outcome } from '../store.js'

/** Answers a send with one `ack`. Of each conversation there is one under way in a session, so that order is kept. */
export async function handleSend(context: Context, session: Session, send: Send): Promise<void> {
  const { conversation } = send
  if (!context.takesSends || session.sending.has(conversation)) return session.send(refuseSend(send, 'busy'))
  session.sending.add(conversation)
  const ack = await store(context, session, send).catch((cause) => {
    session.failure('send_failed', cause)
    return refuseSend(send, 'store_unavailable')
  })
  session.sending.delete(conversation)
  session.send(ack)
}

/** The whole story of a message: authorize, validate, rate, append, and only then hand out and acknowledge. */
async function store(context: Context, session: Session, send: Send): Promise<Ack> {
  const { authorizer, fanOut, rates } = context
  const { conversation } = send
  const from = session.user
  const access = await authorizer.check(conversation, from)
  if (access.refused) return acknowledgement(context, session, send, { stored: [] }, access.refused)
  const { valid, invalid } = validPrefix(send, context.isFile)
  const { granted, after } = rates.take(from, valid.length)
  const items = valid.slice(0, granted)
  const request = { conversation, from, items }
  const stored = (outcome: Outcome) => fanOut.stored(request, outcome, access.members, session)
  const outcome = await append(context, session, { ...request, stored })
  const short = granted < valid.length ? 'rate_limited' : invalid
  return acknowledgement(context, session, send, outcome, short, after)
}

/** Into the store, unless the socket is gone before it gets there: its device sends again on the next one. */
async function append({ queue }: Context, session: Session, request: AppendRequest): Promise<Outcome> {
  if (!session.live || request.items.length === 0) return { stored: [] }
  session.inbound.queued(request.items.length)
  const outcome = await queue.append({ ...request, owner: session, device: session.key })
  session.inbound.unqueued(request.items.length)
  return outcome ?? { stored: [] }
}
