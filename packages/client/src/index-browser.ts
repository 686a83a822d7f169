/**
 * The Kithwire client for browsers and everything else that has a global WebSocket.
 *
 * @packageDocumentation
 */
import { browserSocket } from './socket-browser.js'
import { pageWakeups } from './wakeups.js'
import { type WsRequest as WsRequestInstance, wsRequestFor } from './ws-request.js'

export * from './exports.js'

export type WsRequest = WsRequestInstance
export const WsRequest = wsRequestFor({ socket: browserSocket, wakeups: pageWakeups })
export default WsRequest
