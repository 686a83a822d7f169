import type { Cursor } from '@kithwire/protocol'
import type { Context } from '../context.js'
import type { Session } from '../session.js'

/** Merges a user's marks and relays them to the other members, and to the user's other devices. */
export async function handleCursor(context: Context, session: Session, cursor: Cursor): Promise<void> {
  const { conversation } = cursor
  const { user } = session
  try {
    const access = await context.authorizer.check(conversation, user)
    if (access.refused) return session.error(access.refused)
    const read = cursor.read ?? 0
    const delivered = Math.max(cursor.delivered ?? 0, read)
    const head = (await context.store.heads([conversation]))[0]!
    if (delivered > head.head) return session.error('cursor_invalid')
    const merged = (await context.marks.merge([{ conversation, user, delivered, read }]))[0]!
    const frame: Required<Cursor> = { t: 'cursor', conversation, user, delivered: merged.delivered, read: merged.read }
    context.fanOut.cursor(frame, access.members, session)
  } catch (cause) {
    // Marks are cumulative: the next one makes up for this one.
    session.failure('cursor_failed', cause)
    session.error('store_unavailable')
  }
}
