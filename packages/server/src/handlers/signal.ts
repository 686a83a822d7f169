import type { Signal } from '@kithwire/protocol'
import type { Context } from '../context.js'
import type { Session } from '../session.js'

/** Relays typing to the other members. Never stored, never answered, and nothing is owed for one. */
export async function handleSignal(context: Context, session: Session, signal: Signal): Promise<void> {
  const { conversation, kind, value } = signal
  // Who is there the server knows by itself, and hides where the user wants that.
  if (kind === 'presence') return
  const access = await context.authorizer.check(conversation, session.user).catch(() => undefined)
  if (access?.members === undefined) return context.stats.add('signals_dropped')
  context.fanOut.signal({ t: 'signal', conversation, kind, value, user: session.user }, access.members)
}
