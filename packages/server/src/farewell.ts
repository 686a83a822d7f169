import type { SocketLike } from '@kithwire/protocol'
import type { Inbound } from './inbound.js'
import type { TimerWheel, WheelTimer } from './timer-wheel.js'

/** How long a closed socket may take for the closing handshake. */
const LINGER_MS = 2_000

/** Closes a socket. The timer that it answers with drops one that takes too long; clear it once the socket is gone. */
export function farewell(
  socket: SocketLike,
  inbound: Inbound,
  wheel: TimerWheel,
  code: number,
  reason: string,
): WheelTimer {
  socket.close(code, reason)
  // A peer that reads again lets the closing handshake through; a dead one is not waited for.
  inbound.resumeAll()
  return wheel.set(() => socket.terminate(), LINGER_MS)
}

/** Whether a socket ended because one of the two broke the WebSocket protocol or a limit of it. */
export const isFault = (code: number): boolean => code === 1002 || (code >= 1007 && code <= 1009)
