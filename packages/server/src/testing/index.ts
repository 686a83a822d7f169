/**
 * Suites that say whether a store, or an app's own friend table, keeps what Kithwire relies on.
 *
 * @packageDocumentation
 */
export type { Runner } from './conformance.js'
export {
  type FriendshipsBench,
  type FriendshipsConformanceOptions,
  friendshipsConformance,
} from './friendship-conformance.js'
export { type StoreConformanceOptions, storeConformance } from './store-conformance.js'
