import type { Auth } from '@kithwire/protocol'
import type { Session } from '../session.js'

/** Takes new credentials without a new connection. A token of another user ends this one. */
export async function handleAuth(session: Session, auth: Auth): Promise<void> {
  try {
    const next = await session.credentials.check(auth.token)
    if (!session.live) return
    if (next === null) return session.error('unauthorized', auth.n)
    if (next.user !== session.user) return session.close(4501, 'a token of another user')
    session.credentials.renew(next)
    const { expires } = next
    session.send({ t: 'auth', re: auth.n, ...(expires !== undefined && { expires }) })
  } catch (cause) {
    session.failure('auth_failed', cause)
    session.error('internal', auth.n)
  }
}
