import type { HeadTuple, IMessage, Runtime, Timer } from '@kithwire/protocol'
import type { ClientStore } from './client-store.js'
import type { Link } from './link.js'
import type { Serial } from './serial.js'
import type { Syncs } from './syncs.js'

/** One conversation as this socket sees it. */
export interface View {
  head: HeadTuple
  /** As far as this client knows; the store decides. */
  applied: number
  /** The highest seq that the server named on this socket. */
  target: number
  /** Entries above a hole. */
  held: Map<number, IMessage>
  /** The socket on which the hole is being filled. */
  pulling: Link | undefined
  timer: Timer
  fails: number
  resetting: boolean
  /** The next try of a reset that failed. */
  again: Timer
  /** The server's log is known to continue ours: until then nothing is sent, or it could overtake what a reset puts back. */
  confirmed: boolean
  /** The server says that the logs differ, and no entry that can be compared does: ask without a tail. */
  same: boolean
}

/** A conversation that this socket has just heard of. */
export const newView = (head: HeadTuple, applied: number, confirmed: boolean): View => ({
  head,
  applied,
  target: head[1],
  held: new Map(),
  pulling: undefined,
  timer: undefined,
  fails: 0,
  resetting: false,
  again: undefined,
  confirmed,
  same: false,
})

/** What the inbox needs of the rest of the client. */
export interface InboxHooks {
  store: ClientStore
  runtime: Runtime
  serial: Serial
  syncs: Syncs
  /** The entries above `to` are about to go, `removed` of them. Nothing is delivered until `resetDone`. */
  resetting(conversation: string, to: number, removed: number): void
  resetDone(conversation: string): void
  /** Sends of a conversation need not wait any more. */
  released(conversation: string): void
  applied(conversation: string): void
  error(error: unknown): void
}
