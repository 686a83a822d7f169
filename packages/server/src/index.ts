export { type Friendship, StoredFriendships, type StoredFriendshipsOptions } from './friendships.js'
export type { Friendships, Membership } from './membership.js'
export type {
  Entry,
  FriendshipRow,
  FriendshipRows,
  FriendshipState,
  Head,
  Mark,
  Outcome,
  Range,
  Send,
  Store,
  Stored,
} from './store.js'
export { MemoryStore, type MemoryStoreOptions } from './stores/memory.js'
