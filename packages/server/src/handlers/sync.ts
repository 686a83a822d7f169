import { PROTOCOL_LIMITS, type ServerFrame, type Sync, type WireErrorCode } from '@kithwire/protocol'
import type { Context } from '../context.js'
import { readPage } from '../pages.js'
import { refusal } from '../refusals.js'
import type { Session } from '../session.js'

/** Answers `sync` with one page of the log, from what is durable. */
export async function handleSync(context: Context, session: Session, sync: Sync): Promise<void> {
  const { conversation, after, before, limit, tail } = sync
  const refuse = (code: WireErrorCode) => {
    // The device asks again when it hears that it may.
    session.introduce(conversation, false)
    answer({ refused: refusal(code) })
  }
  const answer = (page: Omit<Extract<ServerFrame, { t: 'page' }>, 't' | 're' | 'conversation'>) =>
    session.send({ t: 'page', re: sync.n, conversation, ...page })
  if (session.syncs >= PROTOCOL_LIMITS.syncs) return answer({ refused: refusal('busy') })
  session.syncs++
  try {
    // Whoever asks faster than they read waits here, with nothing read for them yet.
    await session.outbound.whenClear()
    if (!session.live) return
    const access = await context.authorizer.check(conversation, session.user)
    if (access.refused) return refuse(access.refused)
    const range = before === undefined ? { after: after ?? 0, limit } : { before, limit }
    const page = await readPage(context.store, conversation, access.members, range, tail)
    // Asked again: a block that was answered while the log was read must hold.
    const now = await context.authorizer.check(conversation, session.user)
    if (now.refused) refuse(now.refused)
    else answer(page)
  } catch (cause) {
    session.failure('sync_failed', cause)
    answer({ refused: refusal('store_unavailable') })
  } finally {
    session.syncs--
  }
}
