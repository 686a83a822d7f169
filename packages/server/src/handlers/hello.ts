import { type HeadTuple, type Hello, PROTOCOL_LIMITS } from '@kithwire/protocol'
import type { Context } from '../context.js'
import { type OwnHead, readHeads } from '../heads.js'
import { readResume } from '../resume.js'
import type { Session } from '../session.js'

/**
 * Answers a complete hello. First the older sessions of the device end, and what they have in the store is waited for;
 * then the socket is registered for pushes; only then are heads read, so that nothing falls between the two.
 */
export async function greet(context: Context, session: Session, hello: Hello): Promise<void> {
  const { fanOut, hot, link, registry, queue, store } = context
  if (hello.token !== undefined && !(await renewed(session, hello.token))) return
  if (!session.live) return
  session.identify(hello.device, hello.attempt)
  if (!registry.claim(session)) return session.close(4009, 'a later attempt of this device lives')
  registry.startReceiving(session)
  const subscribing = link?.ready(session.user)
  if (subscribing) await subscribing
  if (!session.live) return
  link?.publish([session.user], { kind: 'device', device: session.device, attempt: session.attempt })
  await queue.settled(session.key)
  const { generation } = context.authorizer
  const [heads, epoch] = await Promise.all([
    readHeads(context, session.user, { knows: cursorsOf(hello) }),
    store.epoch(),
  ])
  const resume = await readResume(store, heads, hello.cursors ?? [])
  if (!session.live) return
  fanOut.met(heads, session)
  // Another device has been told of more meanwhile, and counts for all who are here.
  for (const { tuple } of heads) if (tuple[1] < (hot.seqOf(tuple[0]) ?? 0)) session.missed(tuple[0])
  await markDelivered(context, session, heads, resume.confirmed)
  await welcome(context, session, epoch, heads)
  for (const { conversation, reset } of resume.resets) session.send({ t: 'page', conversation, reset })
  for (const items of resume.missing) {
    const { conversation } = items[0]!
    // Asked again: a block that was answered while the log was read must hold.
    const { members } = await context.authorizer.check(conversation, session.user)
    if (members !== undefined) session.send({ t: 'messages', conversation, items })
  }
  session.welcomed()
  context.presence.welcomed(session, heads, generation).catch((cause) => session.failure('presence_failed', cause))
}

/** Where the device counts for itself what is unread. */
const cursorsOf = (hello: Hello) => {
  const known = new Set(hello.cursors?.map(([conversation]) => conversation))
  return (conversation: string) => known.has(conversation)
}

async function renewed(session: Session, token: string): Promise<boolean> {
  const { credentials } = session
  if (!credentials.renewable) return true
  try {
    const next = await credentials.check(token)
    if (next?.user === session.user) {
      if (session.live) credentials.renew(next)
      return true
    }
    session.close(4501, 'the token is not one of this user')
  } catch (cause) {
    // An outage of the app's session store must not log everybody out.
    session.failure('auth_failed', cause)
    session.close(1013, 'the token cannot be checked now')
  }
  return false
}

/** What a device has stored was delivered to it, even if it was gone before it could say so. */
async function markDelivered(
  context: Context,
  session: Session,
  heads: OwnHead[],
  confirmed: readonly { conversation: string; seq: number }[],
): Promise<void> {
  const { user } = session
  const own = new Map(heads.map((head) => [head.tuple[0], head]))
  const ahead = confirmed.filter(({ conversation, seq }) => seq > own.get(conversation)!.tuple[4])
  const merged = await context.marks.merge(
    ahead.map(({ conversation, seq }) => ({ conversation, user, delivered: seq, read: 0 })),
  )
  for (const { conversation, delivered, read } of merged) {
    const head = own.get(conversation)!
    const [, at, first, joined, , , marks, tail, ...rest] = head.tuple
    head.tuple = [conversation, at, first, joined, delivered, read, marks, tail, ...rest]
    context.fanOut.cursor({ t: 'cursor', conversation, user, delivered, read }, head.members, session)
  }
}

async function welcome(context: Context, session: Session, epoch: string, heads: readonly OwnHead[]): Promise<void> {
  const { limits, link, runtime, store } = context
  const { frame, content, rate, burst, inflight } = limits
  const capabilities: string[] = []
  if (store.durable) capabilities.push('durable')
  // What happens on other nodes gets here by looks at the store, some seconds later.
  if (link?.up === false) capabilities.push('degraded')
  let start = 0
  do {
    // A user of very many conversations must not overflow the buffer with the answer itself.
    await session.outbound.whenClear()
    const part: HeadTuple[] = heads.slice(start, start + PROTOCOL_LIMITS.heads).map(({ tuple }) => tuple)
    start += PROTOCOL_LIMITS.heads
    session.send({
      t: 'welcome',
      session: session.id,
      user: session.user,
      epoch,
      now: runtime.now(),
      heartbeat: limits.heartbeatMs,
      limits: { frame, content, rate, burst, inflight },
      heads: part,
      ...(start < heads.length && { more: true }),
      capabilities,
    })
  } while (start < heads.length && session.live)
}
