/** Who may chat, told from who follows whom: two people who follow each other have a conversation. */
import { Follow } from './follow.js'

/** What the app has for users. */
const USER = /^[0-9a-f]{24}$/

/**
 * The id of the conversation of two users: the same, whoever asks, and readable without a table.
 * @param {string} one
 * @param {string} other
 */
export const conversationOf = (one, other) => (one < other ? `${one}_${other}` : `${other}_${one}`)

/** @param {string} conversation */
function usersOf(conversation) {
  const [one = '', other = '', ...more] = conversation.split('_')
  const isPair = more.length === 0 && USER.test(one) && USER.test(other) && one < other
  return isPair ? /** @type {const} */ ([one, other]) : null
}

/** @type {import('@kithwire/server').Friendships} */
export const friendships = {
  async members(conversation) {
    const pair = usersOf(conversation)
    if (pair === null) return null
    const [one, other] = pair
    const both = [
      { follower: one, followee: other },
      { follower: other, followee: one },
    ]
    return (await Follow.countDocuments({ $or: both })) === 2 ? pair : null
  },

  async of(user) {
    if (!USER.test(user)) return []
    const followees = await Follow.distinct('followee', { follower: user })
    const friends = await Follow.distinct('follower', { followee: user, follower: { $in: followees } })
    return friends.map((id) => ({ conversation: conversationOf(user, String(id)), members: [user, String(id)] }))
  },
}
