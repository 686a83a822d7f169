import { createServer } from 'node:net'
import { sqlite } from '@kithwire/server/sqlite'

/** A port of this machine that nobody uses, for a server that is to come back under its address. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Five pairs of friends in a new file, `[one, other, conversation]`, made with the store itself. */
export async function seedFriends(db: string) {
  const store = sqlite(db)
  const pairs = Array.from(
    { length: 5 },
    (_, index) => [`ann${index}`, `ben${index}`, `conversation-${index}`] as const,
  )
  for (const [user1, user2, id] of pairs) {
    const row = { id, user1, user2, requester: user1, blockedBy: [], createdAt: 0, changedAt: 0, version: 1 }
    await store.friendships?.put({ ...row, state: 'accepted' }, undefined)
  }
  await store.close()
  return pairs
}
