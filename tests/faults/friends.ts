import { sqlite } from '@kithwire/server/sqlite'
import { acceptedRow } from '../support/friendship-row.js'

/** Pairs of friends in a new file, `[one, other, conversation]`, made with the store itself. */
export async function seedFriends(db: string, count = 5) {
  const store = sqlite(db)
  const pairs = Array.from(
    { length: count },
    (_, index) => [`ann${index}`, `ben${index}`, `conversation-${index}`] as const,
  )
  for (const [one, other, id] of pairs) await store.friendships.put(acceptedRow(id, one, other), undefined)
  await store.close()
  return pairs
}
