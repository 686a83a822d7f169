/**
 * React bindings: a provider and hooks.
 *
 * @packageDocumentation
 */
export type { FriendsClient, Friendship } from '../friends.js'
export type { ChatMessage, MessageState } from './chat-message.js'
export type { Connection } from './connection-view.js'
export type { Conversation } from './conversation-list.js'
export type { FriendActions, FriendsView } from './friend-list.js'
export {
  type Messages,
  useClient,
  useConnection,
  useConversations,
  useFriends,
  useMessages,
  usePresence,
  useSend,
  useTyping,
  useUnread,
} from './hooks.js'
export { ChatProvider, type ChatProviderProps } from './provider.js'
export type { TimelineView } from './timeline.js'
