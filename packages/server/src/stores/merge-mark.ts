import type { Mark } from '../store.js'

/** A mark with news of it: invariants 8 and 10 of the contract. */
export function mergeMark(known: Omit<Mark, 'conversation' | 'user'> | undefined, news: Mark): Mark {
  const { conversation, user } = news
  const { delivered = 0, read: before = 0 } = known ?? {}
  const read = Math.max(before, news.read)
  // What is read is delivered.
  const merged: Mark = { conversation, user, delivered: Math.max(delivered, news.delivered, read), read }
  const seen = news.seen ?? (read > before ? undefined : known?.seen)
  if (seen !== undefined && seen < read) merged.seen = seen
  return merged
}
