import type { IMessage, KithwireError, KithwireErrorCode, MarkTuple } from '@kithwire/protocol'
import type { OutboxItem } from './client-store.js'
import type { ConnectionPhase } from './connection-state.js'

/** A change of the connection. */
export interface StateChange {
  from: ConnectionPhase
  /** The WebSocket close code that led here; 0 where no close did. */
  code: number
  reason: string
}

/** A message is stored for good. */
export interface Sent {
  conversation: string
  cid: string
  seq: number
  id: string
  /** Server time in ms. */
  at: number
}

/** A message that is not stored yet, or never will be. */
export interface OutgoingItem extends OutboxItem {
  /** `sent`: written on a live socket, and not answered. `failed`: set aside, for the reason in `failed`. */
  state: 'queued' | 'sent' | 'failed'
}

/** Events of a client, with their arguments. */
export interface ClientEvents {
  state: [phase: ConnectionPhase, change: StateChange]
  /** Each new entry, as `onMessage` without options gets it, but without waiting for an async listener. */
  message: [message: IMessage]
  /** A message of this user, from whichever tab, is stored and in this device's view. */
  sent: [sent: Sent]
  /** A message was refused for good, or set aside as `unknown_outcome`. It waits in `failed()`. */
  failed: [failed: { conversation: string; cid: string; error: KithwireError }]
  /**
   * What became of a message of this user, from whichever tab: `queued` → `sent` (back to `queued` if the connection is
   * lost) → `stored`, or `failed` with the reason in `code`. `discarded`: the row is gone, by `discard` or `retry`.
   */
  outgoing: [
    change: {
      conversation: string
      cid: string
      state: 'queued' | 'sent' | 'stored' | 'failed' | 'discarded'
      code?: KithwireErrorCode
    },
  ]
  /** Entries `from … to` are not on the server any more; the view goes on behind them. */
  gap: [gap: { conversation: string; from: number; to: number }]
  /**
   * The server's log was restored from a backup: forget what is above `to`. Comes before the first entry that takes its
   * place; own messages that were lost are sent again under their cids.
   */
  reset: [reset: { conversation: string; to: number; removed: number }]
  /** How far others have got: [user, delivered, read]. Only what changed. */
  marks: [marks: { conversation: string; marks: readonly MarkTuple[] }]
  /** This user has read up to here, on whichever device. */
  read: [read: { conversation: string; seq: number }]
  /** How many entries of a conversation are unread now. */
  unread: [unread: { conversation: string; unread: number }]
  /** Somebody has begun or ended to type: they said so, or have not repeated it for 6 s. Not promised. */
  typing: [typing: { conversation: string; user: string; on: boolean }]
  /** A friend has come or gone. Not promised. */
  presence: [presence: { user: string; online: boolean }]
  /** Both as they came from the server, and to every tab. */
  signal: [signal: { conversation: string; user: string; kind: 'typing' | 'presence'; value: boolean }]
  /** These conversations have, or may have, something new: a new one among them means that the user became a member. */
  behind: [conversations: readonly string[]]
  /** A refusal of the connection, a failing store or token function, a listener that threw. */
  error: [error: KithwireError]
}

export type Emit = <Name extends keyof ClientEvents>(name: Name, ...values: ClientEvents[Name]) => void
