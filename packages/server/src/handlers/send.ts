import type { Ack, Send, WireErrorCode } from '@kithwire/protocol'
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
  const go = (access: Access) => {
    try {
      store(context, session, send, access, failed)
    } catch (cause) {
      failed(cause)
    }
  }
  const access = context.authorizer.allowed(conversation, session.user)
  if (access) go(access)
  else context.authorizer.check(conversation, session.user).then(go, failed)
}

function answer(session: Session, { conversation }: Send, ack: Ack): void {
  session.endSend(conversation)
  session.send(ack)
}

/** The rest of the story of a message, once it is authorized: validate, rate, append, and only then hand out. */
function store(context: Context, session: Session, send: Send, access: Access, failed: (cause: unknown) => void): void {
  const { fanOut, queue, rates } = context
  const { conversation } = send
  const from = session.user
  const refuse = (outcome: Outcome, short: WireErrorCode | undefined, after?: number): void => {
    acknowledgement(context, session, send, outcome, short, after)
      .then((ack) => answer(session, send, ack))
      .catch(failed)
  }
  if (access.refused) {
    refuse({ stored: [] }, access.refused)
    return
  }
  const { valid, invalid } = validPrefix(send, context.isFile)
  const { granted, after } = rates.take(from, valid.length)
  const items = granted < valid.length ? valid.slice(0, granted) : valid
  const short = granted < valid.length ? 'rate_limited' : invalid
  // Unless the socket is gone before it gets there: its device sends again on the next one.
  if (!session.live || items.length === 0) {
    refuse({ stored: [] }, short, after)
    return
  }
  session.inbound.queued(items.length)
  const request = {
    conversation,
    from,
    items,
    owner: session,
    device: session.key,
    stored: (outcome: Outcome) => fanOut.stored({ conversation, from, items }, outcome, access.members, session),
  }
  queue.add(request, (outcome) => {
    session.inbound.unqueued(items.length)
    if (outcome === undefined || outcome.refused !== undefined || short !== undefined)
      refuse(outcome ?? { stored: [] }, short, after)
    else answer(session, send, acknowledged(send, outcome))
  })
}
