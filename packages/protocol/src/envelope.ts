import type { WireErrorCode } from './errors.js'
import type { Limits } from './limits.js'
import type { IMessage, SendItem } from './message.js'

/** Where a device stands in one conversation; `tail` is the last 8 characters of the id at `seq`, or empty if unknown. */
export type CursorTuple = readonly [conversation: string, seq: number, tail: string]

/** How far another member has got. */
export type MarkTuple = readonly [user: string, delivered: number, read: number]

/**
 * What `welcome` and `behind` say of one conversation. `tail` belongs to the entry at `head`; empty at head 0. Entries
 * above `seen` count as unread: `read`, or less where the user has set that back. `unread` is how many of them, up to
 * `head`, do; absent where the device is taken to count itself.
 */
export type HeadTuple = readonly [
  conversation: string,
  head: number,
  first: number,
  joined: number,
  delivered: number,
  read: number,
  marks: readonly MarkTuple[],
  tail: string,
  seen?: number,
  unread?: number,
]

export interface Hello {
  t: 'hello'
  /** 22 random characters that the device keeps. */
  device: string
  /** A counter kept with the device and raised before each connect. */
  attempt: number
  cursors?: readonly CursorTuple[]
  /** More chunks of this hello follow. */
  more?: boolean
  since?: readonly [pos: number, tail: string]
  epoch?: string
  token?: string
  capabilities?: readonly string[]
}

export interface Send {
  t: 'send'
  n: number
  conversation: string
  /** The longest valid prefix of what came. */
  items: readonly SendItem[]
  /** Set by the codec, never on the wire: what is wrong with the item behind `items`. */
  invalid?: { cid: string; code: 'bad_field' | 'too_large'; message: string }
}

export interface Sync {
  t: 'sync'
  n: number
  conversation: string
  /** Entries with `seq > after`, ascending. Exactly one of `after` and `before` is given. */
  after?: number
  /** The last 8 characters of the id at `after`, to notice a log that was restored from a backup. */
  tail?: string
  /** Entries with `seq < before`, the newest of them, ascending. */
  before?: number
  limit: number
}

/** From a client: its user's marks. From the server: those of `user`. Cumulative, merged by max, but for `seen`. */
export interface Cursor {
  t: 'cursor'
  conversation: string
  delivered?: number
  read?: number
  /** The user's own: entries above it count as unread. The last one that was sent counts. */
  seen?: number
  /** From the server: of the entries up to `head`, so many count as unread. */
  unread?: number
  head?: number
  user?: string
}

export interface Signal {
  t: 'signal'
  conversation: string
  kind: 'typing' | 'presence'
  value: boolean
  /** Set by the server. */
  user?: string
}

export interface Ping {
  t: 'ping'
  n: number
}

export interface Auth {
  t: 'auth'
  n: number
  token: string
}

export type ClientFrame = Hello | Send | Sync | Cursor | Signal | Ping | Auth

export interface Welcome {
  t: 'welcome'
  session: string
  user: string
  epoch: string
  /** Server wall clock, ms. */
  now: number
  /** Ms between heartbeats of an idle socket. */
  heartbeat: number
  limits: Limits
  heads: readonly HeadTuple[]
  more?: boolean
  since?: readonly [pos: number, tail: string]
  capabilities: readonly string[]
}

export interface AckItem {
  cid: string
  seq: number
  id: string
  at: number
  duplicate?: boolean
}

export interface Refusal {
  cid: string
  code: WireErrorCode
  retry: boolean
  /** Ms to wait before the next try. */
  after?: number
}

export interface Ack {
  t: 'ack'
  re: number
  conversation: string
  items: readonly AckItem[]
  refused?: Refusal
}

export interface Messages {
  t: 'messages'
  conversation: string
  items: readonly IMessage[]
}

/** Answers `sync`. Without `re` it carries a `reset` that the cursors of `hello` led to. */
export interface Page {
  t: 'page'
  re?: number
  conversation: string
  items?: readonly IMessage[]
  head?: number
  first?: number
  /** Of the entry below `first`, where the page passes over what retention has taken. */
  tail?: string
  more?: boolean
  reset?: { to: number; id: string }
  refused?: { code: WireErrorCode; retry: boolean; after?: number }
}

export interface Heartbeat {
  t: 'heartbeat'
  now: number
}

export interface Pong {
  t: 'pong'
  re: number
}

export interface Behind {
  t: 'behind'
  heads: readonly HeadTuple[]
}

export interface Drain {
  t: 'drain'
  spread: number
}

/** Answers `auth`: the new credentials were taken, until `expires` (ms since 1970) if they end at all. */
export interface Authenticated {
  t: 'auth'
  re: number
  expires?: number
}

export interface ErrorFrame {
  t: 'error'
  re?: number
  code: WireErrorCode
  message: string
  fatal: boolean
}

export type ServerFrame =
  | Welcome
  | Ack
  | Messages
  | Page
  | Cursor
  | Signal
  | Heartbeat
  | Pong
  | Behind
  | Drain
  | Authenticated
  | ErrorFrame
