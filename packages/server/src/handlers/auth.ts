import type { Auth } from '@kithwire/protocol'
import type { Context } from '../context.js'
import type { Session } from '../session.js'

/** Takes new credentials without a new connection. A token of another user ends this one. */
export async function handleAuth(context: Context, session: Session, auth: Auth): Promise<void> {
  try {
    const next = await session.credentials.check(auth.token)
    if (!session.live) return
    if (next === null) return session.error('unauthorized', auth.n)
    if (next.user !== session.user) return session.close(4501, 'a token of another user')
    session.credentials.renew(next)
    const { expires } = next
    session.send({ t: 'auth', re: auth.n, ...(expires !== undefined && { expires }) })
  } catch (cause) {
    context.log.failure('reauthenticate_failed', cause, { session: session.id })
    session.error('internal', auth.n)
  }
}
