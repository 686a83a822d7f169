/**
 * Friend chat for an existing Express or Node app: `WsRouter` on the app's own http server, over a store that keeps
 * every message for good.
 *
 * @packageDocumentation
 */
import { WsRouter } from './ws-router.js'

export {
  type AckItem,
  type IMessage,
  KithwireError,
  type KithwireErrorCode,
  type MessageMeta,
  type MessageRef,
  type MessageType,
} from '@kithwire/protocol'
export type { Authenticate, Authenticated, Credentials } from './authenticate.js'
export type { App } from './bindings/app.js'
export type { Middleware } from './bindings/middleware.js'
export type { HttpServer } from './bindings/node-http.js'
export type { Bus, BusListener } from './bus.js'
export { LocalBus } from './buses/local.js'
export type { Identity } from './context.js'
export { Core, type CoreOptions } from './core.js'
export { type Friendship, StoredFriendships, type StoredFriendshipsOptions } from './friendships.js'
export type { RequestHandler } from './http/router.js'
export { DEFAULT_SERVER_LIMITS, type ServerLimits } from './limits.js'
export { jsonLines, type LogFields, type Logger, type LogLevel, type LogLine } from './log.js'
export type { Friendships, Membership } from './membership.js'
export type { WsRouterOptions } from './options.js'
export type { Page, Reset } from './pages.js'
export type { PrivacyOptions } from './privacy.js'
export type {
  CountRange,
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
export type { ServerSend } from './ws-router.js'
export { WsRouter }

/** `WsRouter`, and callable without `new` as the article exported it: `WsRouter('/ws/:id', app, server?, options?)`. */
export type CallableWsRouter = typeof WsRouter & typeof WsRouter.getInstance

const callable = new Proxy(WsRouter, {
  apply: (_target, _this, args) => WsRouter.getInstance(...(args as Parameters<typeof WsRouter.getInstance>)),
}) as CallableWsRouter

export default callable
