/**
 * A server and clients on a clock that moves when told; a proxy that breaks connections on purpose; and suites that say
 * whether a store, a bus, or an app's own friend table, keeps what Kithwire relies on.
 *
 * @packageDocumentation
 */
export type { ChaosConnection, ChaosWeather, CutMode, Weather } from './chaos-connection.js'
export { type ChaosPlan, type ChaosProxy, type ChaosProxyOptions, chaosProxy } from './chaos-proxy.js'
export { ChatKit, type ChatKitOptions, type KitClientClass, type KitClientOptions } from './chat-kit.js'
export type { Runner } from './conformance.js'
export {
  type FriendshipsBench,
  type FriendshipsConformanceOptions,
  friendshipsConformance,
} from './friendship-conformance.js'
export { type StoreConformanceOptions, storeConformance } from './store-conformance.js'
