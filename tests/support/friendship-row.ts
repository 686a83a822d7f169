/** The row of an accepted friendship, as if it had always been there. */
export const acceptedRow = (id: string, user1: string, user2: string) => ({
  id,
  user1,
  user2,
  state: 'accepted' as const,
  requester: user1,
  blockedBy: [],
  createdAt: 0,
  changedAt: 0,
  version: 1,
})
