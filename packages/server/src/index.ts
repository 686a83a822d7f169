export type { Identity } from './context.js'
export { Core, type CoreOptions } from './core.js'
export { type Friendship, StoredFriendships, type StoredFriendshipsOptions } from './friendships.js'
export { DEFAULT_SERVER_LIMITS, type ServerLimits } from './limits.js'
export { jsonLines, type LogFields, type Logger, type LogLevel, type LogLine } from './log.js'
export type { Friendships, Membership } from './membership.js'
export type { Page, Reset } from './pages.js'
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
