import type { Cursor } from '@kithwire/protocol'
import type { Context } from '../context.js'
import { marksFrame, ownMarksFrame } from '../marks.js'
import type { Session } from '../session.js'

/** Merges a user's marks and relays them: to the other members, and with what is unread to the user's own devices. */
export async function handleCursor(context: Context, session: Session, cursor: Cursor): Promise<void> {
  const { conversation, read = 0, seen } = cursor
  const { fanOut, marks, store } = context
  const { user } = session
  try {
    const access = await context.authorizer.check(conversation, user)
    if (access.refused) {
      // The device tells its marks again when it hears that it may.
      session.introduce(conversation, false)
      return session.error(access.refused)
    }
    const delivered = Math.max(cursor.delivered ?? 0, read)
    const told = await marks.tell({ conversation, user, delivered, read, ...(seen !== undefined && { seen }) })
    if (told === undefined) return session.error('cursor_invalid')
    const { merged, head } = told
    if (delivered > 0) fanOut.cursor(marksFrame(merged), access.members, session)
    if (cursor.read === undefined && seen === undefined) return
    fanOut.ownCursor(await ownMarksFrame(store, merged, head))
  } catch (cause) {
    // Marks are cumulative: the next one makes up for this one.
    session.failure('cursor_failed', cause)
    session.error('store_unavailable')
  }
}
