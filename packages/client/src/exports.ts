/** What both builds export beside their `WsRequest`. */

export type {
  IMessage,
  MessageMeta,
  MessageRef,
  MessageType,
  Runtime,
  SocketFactory,
  SocketLike,
  SocketListener,
} from '@kithwire/protocol'
export { KithwireError, type KithwireErrorCode } from '@kithwire/protocol'
export type { AbortSignalLike } from './abort.js'
export {
  type Applied,
  type ClientStore,
  type ConversationState,
  type DeviceIdentity,
  mergeMarks,
  type OutboxItem,
  type OutboxLimits,
  type PassingChange,
  queuedAgain,
  type ResetPoint,
  type SendOutcome,
  type StoreChange,
  sameContent,
  startOf,
  tailOf,
} from './client-store.js'
export type { ConnectionPhase } from './connection-state.js'
export type { SendInput } from './core.js'
export type { ClientEvents, OutgoingItem, Sent, StateChange } from './events.js'
export type { HistoryOptions, HistoryPage } from './history.js'
export type { TokenSource, WsRequestOptions } from './options.js'
export { sendState } from './send-state.js'
export { MemoryClientStore } from './stores/memory.js'
export type { ListenOptions, MessageListener } from './subscriptions.js'
export {
  moved,
  movedBack,
  type OwnPlace,
  type PlaceChange,
  placeOf,
  type Recount,
  recounted,
  withEntry,
} from './unread.js'
export { noWakeups, type Wakeup, type Wakeups } from './wakeups.js'
