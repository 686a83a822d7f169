/** The pair of the article: jeffery and testuser. */
const FRIEND = '5d1328295793f14020a979d5'
const JEFFERY = '5d1327c65793f14020a979ca'
const TESTUSER = '5d1328065793f14020a979cf'

/**
 * Makes the two friends. If they are already, also if another process has just made them, nothing changes.
 * @param {import('@kithwire/server').FriendshipRows} friendships
 */
export async function seed(friendships) {
  if (await friendships.get(FRIEND)) return
  const now = Date.now()
  const row = {
    id: FRIEND,
    user1: JEFFERY,
    user2: TESTUSER,
    requester: JEFFERY,
    blockedBy: [],
    createdAt: now,
    changedAt: now,
    version: 1,
  }
  await friendships.put({ ...row, state: 'accepted' }, undefined)
}
