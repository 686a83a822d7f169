/**
 * The Kithwire client for Node. In browsers the same package resolves to a build on the global WebSocket.
 *
 * @packageDocumentation
 */
import { nodeSocket } from './socket.js'
import { noWakeups } from './wakeups.js'
import { type WsRequest as WsRequestInstance, wsRequestFor } from './ws-request.js'

export * from './exports.js'

export type WsRequest = WsRequestInstance
export const WsRequest = wsRequestFor({ socket: nodeSocket, wakeups: noWakeups })
export default WsRequest
