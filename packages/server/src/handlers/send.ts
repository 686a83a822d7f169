import type { Ack, Send, SendItem, WireErrorCode } from '@kithwire/protocol'
import { acknowledged, acknowledgement } from '../acknowledge.js'
import { AppendJob } from '../append-queue.js'
import type { Access } from '../authorize.js'
import type { Context } from '../context.js'
import { validPrefix } from '../items.js'
import { refuseSend } from '../refusals.js'
import type { Session } from '../session.js'
import type { Outcome } from '../store.js'

/**
 * Answers a send with one `ack`. Of each conversation there is one under way in a session, so that order is kept. What
 * can be done at once is: a promise or a closure for every step would cost as much as the step.
 */
export function handleSend(context: Context, session: Session, send: Send): void {
  const { conversation } = send
  if (!context.takesSends || !session.beginSend(conversation)) {
    session.send(refuseSend(send, 'busy'))
    return
  }
  const access = context.authorizer.allowed(conversation, session.user)
  if (access) store(context, session, send, access)
  else
    context.authorizer
      .check(conversation, session.user)
      .then((found) => store(context, session, send, found))
      .catch((cause) => fail(session, send, cause))
}

function answer(session: Session, { conversation }: Send, ack: Ack): void {
  session.endSend(conversation)
  session.send(ack)
}

function fail(session: Session, send: Send, cause: unknown): void {
  session.failure('send_failed', cause)
  answer(session, send, refuseSend(send, 'store_unavailable'))
}

/** Why not all items of a send are tried; `after` is when to try the next one, in ms. */
interface Short {
  code: WireErrorCode
  after?: number
}

function refuse(context: Context, session: Session, send: Send, outcome: Outcome, short: Short | undefined): void {
  acknowledgement(context, session, send, outcome, short?.code, short?.after)
    .then((ack) => answer(session, send, ack))
    .catch((cause) => fail(session, send, cause))
}

/** The rest of the story of a message, once it is authorized: validate, rate, append, and only then hand out. */
function store(context: Context, session: Session, send: Send, access: Access): void {
  try {
    if (access.refused) {
      refuse(context, session, send, { stored: [] }, { code: access.refused })
      return
    }
    const { valid, invalid } = validPrefix(send, context.isFile)
    const { granted, after } = context.rates.take(session.user, valid.length)
    const items = granted < valid.length ? valid.slice(0, granted) : valid
    let short: Short | undefined
    if (granted < valid.length) short = { code: 'rate_limited', after }
    else if (invalid !== undefined) short = { code: invalid }
    // Unless the socket is gone before it gets there: its device sends again on the next one.
    if (!session.live || items.length === 0) {
      refuse(context, session, send, { stored: [] }, short)
      return
    }
    session.inbound.queued(items.length)
    context.queue.add(new SendJob(context, session, send, items, access.members, short))
  } catch (cause) {
    fail(session, send, cause)
  }
}

/** What a device has sent, on its way to the store and back. */
class SendJob extends AppendJob {
  constructor(
    private readonly context: Context,
    private readonly session: Session,
    private readonly send: Send,
    items: readonly SendItem[],
    private readonly members: readonly string[],
    private readonly short: Short | undefined,
  ) {
    super(send.conversation, session.user, items, session, session.key)
  }

  stored(outcome: Outcome): void {
    this.context.fanOut.stored(this, outcome, this.members, this.session)
  }

  protected settled(outcome: Outcome | undefined): void {
    const { context, session, send, short } = this
    session.inbound.unqueued(this.items.length)
    if (outcome === undefined || outcome.refused !== undefined || short !== undefined)
      refuse(context, session, send, outcome ?? { stored: [] }, short)
    else answer(session, send, acknowledged(send, outcome))
  }
}
