import type { Cursor } from '@kithwire/protocol'
import type { Context } from './context.js'
import type { Mark } from './store.js'

/** Marks of a user, as every member is told of them. */
export interface MarksFrame extends Cursor {
  delivered: number
  read: number
  user: string
}

/** The same with what is nobody else's business, for the user's own devices. */
export interface OwnMarksFrame extends MarksFrame {
  seen: number
  unread: number
  head: number
}

export const marksFrame = ({ conversation, user, delivered, read }: Mark): MarksFrame => {
  return { t: 'cursor', conversation, user, delivered, read }
}

/** @param head up to which entries are counted */
export async function ownMarksFrame(store: Context['store'], mark: Mark, head: number): Promise<OwnMarksFrame> {
  const { conversation, user, read, seen = read } = mark
  const range = { conversation, after: seen, to: head, except: user }
  const unread = seen < head ? (await store.count([range]))[0]! : 0
  return { ...marksFrame(mark), seen, unread, head }
}
