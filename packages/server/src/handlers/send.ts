import type { Ack, Send } from '@kithwire/protocol'
import { acknowledged, acknowledgement } from '../acknowledge.js'
import type { Access } from '../authorize.js'
import type { Context } from '../context.js'
import { validPrefix } from '../items.js'
import { refuseSend } from '../refusals.js'
import type { Session } from '../session.js'
import type { Outcome } from '../store.js'

/**
 * Answers a send with one `ack`. Of each conversation there is one under way in a session, so that order is kept. What
 * can be done at once is: a promise for every step would cost as much as the step.
 */
export function handleSend(context: Context, session: Session, send: Send): void {
  const { conversation } = send
  if (!context.takesSends || !session.beginSend(conversation)) {
    session.send(refuseSend(send, 'busy'))
    return
  }
  const failed = (cause: unknown) => {
    session.failure('send_failed', cause)
    answer(session, send, refuseSend(send, 'store_unavailable'))
  }
  const access = context.authorizer.allowed(conversation, session.user)
  if (access) {
    store(context, session, send, access).then((ack) => answer(session, send, ack), failed)
    return
  }
  context.authorizer
    .check(conversation, session.user)
    .then((answered) => store(context, session, send, answered))
    .then((ack) => answer(session, send, ack), failed)
}

function answer(session: Session, { conversation }: Send, ack: Ack): void {
  session.endSend(conversation)
  session.send(ack)
}

/** The rest of the story of a message, once it is authorized: validate, rate, append, and only then hand out. */
async function store(context: Context, session: Session, send: Send, access: Access): Promise<Ack> {
  const { fanOut, queue, rates } = context
  const { conversation } = send
  const from = session.user
  if (access.refused) return acknowledgement(context, session, send, { stored: [] }, access.refused)
  const { valid, invalid } = validPrefix(send, context.isFile)
  const { granted, after } = rates.take(from, valid.length)
  const items = granted < valid.length ? valid.slice(0, granted) : valid
  const short = granted < valid.length ? 'rate_limited' : invalid
  // Unless the socket is gone before it gets there: its device sends again on the next one.
  let outcome: Outcome | undefined
  if (session.live && items.length > 0) {
    session.inbound.queued(items.length)
    outcome = await queue.append({
      conversation,
      from,
      items,
      owner: session,
      device: session.key,
      stored: (result) => fanOut.stored({ conversation, from, items }, result, access.members, session),
    })
    session.inbound.unqueued(items.length)
  }
  if (outcome !== undefined && outcome.refused === undefined && short === undefined) return acknowledged(send, outcome)
  return acknowledgement(context, session, send, outcome ?? { stored: [] }, short, after)
}
