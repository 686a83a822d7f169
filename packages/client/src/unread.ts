import { type Cursor, type HeadTuple, type IMessage, isCountable } from '@kithwire/protocol'
import type { ConversationState, ResetPoint } from './client-store.js'

/** What the server says of the user's own place. `unread`, if it says so, is how many of the entries up to `head`. */
export interface OwnPlace {
  read: number
  /** Absent where the server speaks of `read` alone: it stays, unless `read` has grown. */
  seen?: number
  unread?: number
  head?: number
}

/**
 * What changes a user's own place: `read`, that everything up to there was read; `seen`, that entries above it count as
 * unread; `place`, what the server says.
 */
export type PlaceChange = { read: number } | { seen: number } | { place: OwnPlace }

/** A changed state whose `unread` is not complete: the entries above `after` are to be counted in. */
export interface Recount {
  state: ConversationState
  after: number
}

export const placeOf = ([, head, , , , read, , , seen, unread]: HeadTuple): OwnPlace => {
  return { read, ...(seen !== undefined && { seen }), ...(unread !== undefined && { unread, head }) }
}

/** The same, of a `cursor`. */
export function toldPlace({ read = 0, seen, unread, head }: Cursor): OwnPlace {
  return seen !== undefined && unread !== undefined && head !== undefined ? { read, seen, unread, head } : { read }
}

/** An entry is applied. For adapters. */
export function withEntry(state: ConversationState, item: IMessage, user: string | undefined): ConversationState {
  if (item.seq <= state.counted) return state
  const counts = item.seq > state.seen && item.from !== user && isCountable(item.type)
  return { ...state, counted: item.seq, unread: state.unread + (counts ? 1 : 0) }
}

/**
 * The user's own place changes. Undefined if it does not, after all. Otherwise the adapter reads the entries above
 * `after` and stores what `recounted` makes of the two.
 */
export function moved(state: ConversationState, change: PlaceChange): Recount | undefined {
  if ('place' in change) return told(state, change.place)
  if ('seen' in change) {
    const seen = Math.max(0, change.seen)
    return seen < state.seen ? counting({ ...state, seen, unsaid: true }) : undefined
  }
  const { read } = change
  if (read <= state.seen) return undefined
  // Only where `read` does not grow must the server be told that it was seen again.
  return counting({ ...state, seen: read, read: Math.max(read, state.read), unsaid: read <= state.read })
}

/**
 * A head of a conversation that the store knows. For adapters.
 *
 * @param fresh it is of a `welcome`. What the server counted of entries that have not arrived may be of a log that was
 *   restored since, where nothing that is here shows it: they are counted when they arrive.
 */
export function met(state: ConversationState, head: HeadTuple, fresh: boolean): Recount | undefined {
  const again = fresh && state.counted > state.applied ? counting(state) : undefined
  return moved(again?.state ?? state, { place: placeOf(head) }) ?? again
}

/** The state after a reset. */
export function movedBack(state: ConversationState, { to, tail, marks }: ResetPoint): Recount {
  const begin = state.base > to ? { base: to, baseTail: tail } : {}
  const [read, seen, resets] = [Math.min(state.read, to), Math.min(state.seen, to), [...state.resets, to]]
  return counting({ ...state, ...begin, applied: to, tail, marks, resets, read, seen })
}

function told(state: ConversationState, { read, seen, unread, head = 0 }: OwnPlace): Recount | undefined {
  // What was done here comes later than what the server knows, and it will hear of it.
  if (read < state.read) return undefined
  const grown = read > state.read
  if (state.unsaid && seen !== state.seen) return grown ? counting({ ...state, read }) : undefined
  const next = { ...state, read, seen: seen ?? (grown ? read : state.seen), unsaid: false }
  // An old word, of another tab's socket perhaps, does not reach what only the server can count.
  if (unread !== undefined && head >= state.base)
    return {
      state: { ...next, unread, counted: Math.max(head, state.applied), partial: false },
      after: Math.max(head, next.seen),
    }
  return grown || next.seen !== state.seen || state.unsaid ? counting(next) : undefined
}

/** Counts what is here. What is below `base` only the server knows. */
function counting(state: ConversationState): Recount {
  const after = Math.max(state.seen, state.base)
  return { state: { ...state, unread: 0, counted: state.applied, partial: state.seen < state.base }, after }
}

/** @param items all entries of the store above `after` */
export function recounted({ state, after }: Recount, items: readonly IMessage[], user: string | undefined) {
  const news = items.filter((item) => item.seq > after && item.from !== user && isCountable(item.type))
  return { ...state, unread: state.unread + news.length }
}
