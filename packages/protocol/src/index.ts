/**
 * The wire protocol of Kithwire: messages, envelopes, a strict codec, codes and limits as data, and the seams for
 * sockets, clocks and randomness. It needs no Node, no DOM and no other package.
 *
 * @packageDocumentation
 */
export { CLOSE_CODES, type CloseCode, closeCode, type KnownCloseCode } from './close-codes.js'
export { type Decoded, decodeClientFrame, decodeServerFrame, encode, type Problem } from './codec.js'
export type * from './envelope.js'
export {
  isWireErrorCode,
  KithwireError,
  type KithwireErrorCode,
  LOCAL_ERRORS,
  WIRE_ERRORS,
  type WireErrorCode,
} from './errors.js'
export { contentSize, isId, isInteger, isObject, isText, isType, isUserId, utf8Length } from './guards.js'
export {
  decodeLegacy,
  encodeLegacy,
  LEGACY_TYPES,
  type LegacyDecoded,
  type LegacyMessage,
  type LegacySend,
  type LegacyType,
} from './legacy.js'
export { DEFAULT_LIMITS, type Limits, PROTOCOL_LIMITS } from './limits.js'
export {
  COUNTABLE_TYPES,
  type IMessage,
  isCountable,
  type MessageMeta,
  type MessageRef,
  type MessageType,
  type SendItem,
} from './message.js'
export { newCid, newId, type Runtime, systemRuntime, type Timer } from './runtime.js'
export type { SocketFactory, SocketLike, SocketListener } from './socket.js'
export {
  BEARER_PREFIX,
  decodeBearer,
  encodeBearer,
  type Negotiation,
  negotiate,
  offer,
  SUBPROTOCOL,
  VERSION,
} from './version.js'
