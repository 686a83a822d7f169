import Friend from './models/friend.js'
import User from './models/user.js'

/** The pair of the article, as its users were made: rows of `users` and `friends`, and nothing of Kithwire in them. */
export async function seed() {
  const [jeffery, testuser] = ['5d1327c65793f14020a979ca', '5d1328065793f14020a979cf']
  const upsert = { upsert: true }
  await User.updateOne({ _id: jeffery }, { name: 'jeffery' }, upsert)
  await User.updateOne({ _id: testuser }, { name: 'testuser' }, upsert)
  await Friend.updateOne({ _id: '5d1328295793f14020a979d5' }, { user1: jeffery, user2: testuser }, upsert)
}
