import type { IMessage, MessageMeta, MessageRef, MessageType, SendItem, WireErrorCode } from '@kithwire/protocol'

/** Items of one sender for one conversation, in the sender's order. */
export interface Send {
  conversation: string
  from: string
  items: readonly SendItem[]
}

/** What became of one item. For a duplicate, what the original became. */
export interface Stored {
  seq: number
  id: string
  /** Server wall clock, ms. */
  at: number
  duplicate: boolean
}

/** `stored` belongs to the first items of the send; `refused` is about the next one; those behind it were not tried. */
export interface Outcome {
  stored: Stored[]
  refused?: { index: number; code: Extract<WireErrorCode, 'cid_conflict' | 'busy' | 'store_unavailable'> }
}

/** An entry as it is stored: an IMessage but for `to`, which follows from the members. */
export interface Entry {
  id: string
  conversation: string
  seq: number
  from: string
  cid: string
  type: MessageType
  content: string
  createdAt: number
  ref?: MessageRef
  meta?: MessageMeta
}

/** The end of a log. An unknown conversation has head 0, first 1 and no tail. */
export interface Head {
  conversation: string
  head: number
  /** The first seq whose content retention has left. Entries below it are not read any more. */
  first: number
  /** The last 8 characters of the id at `head`; empty at head 0. */
  tail: string
}

/** How far one user has got in one conversation. `read ≤ delivered ≤ head`. */
export interface Mark {
  conversation: string
  user: string
  delivered: number
  read: number
  /** Entries above it count as unread, for the user alone. Below `read`; absent where it is the same. */
  seen?: number
}

/** Entries of one conversation in `after + 1 … to`. */
export interface CountRange {
  conversation: string
  after: number
  to: number
  /** Whose entries are left out. */
  except: string
}

/** A window of a log: ascending entries with `seq > after`, or the newest ones with `seq < before`, also ascending. */
export type Range = { after: number; limit: number } | { before: number; limit: number }

/**
 * Where the log is. An adapter keeps these invariants, and `storeConformance` in `@kithwire/server/testing` checks them:
 *
 * 1. When `append` resolves, what it reports as stored is durable, duplicates included: no crash takes it back.
 * 2. One `(conversation, from, cid)` makes at most one entry, for ever, under any concurrency, also of other processes.
 * 3. The seqs of a conversation are 1, 2, 3 … with no gap, at every instant that a reader can see.
 * 4. Items of one send take increasing seqs in their order; what is stored of a send is a prefix of it.
 * 5. The same cid with other type, content, ref or meta is refused as `cid_conflict`, and nothing behind it is tried.
 * 6. `read`, `find` and `heads` report durable entries only; what one call saw, later calls see.
 * 7. A rejected `append` means that the outcome is unknown: nobody is acknowledged and the caller tries again with the
 *    same cids. A refusal of `busy` or `store_unavailable` means that nothing from that item on was stored.
 * 8. Marks only grow. `retain` blanks content and keeps `(conversation, from, cid, seq, id)`, so a late retry is still a
 *    duplicate, and a late other content still a conflict.
 * 9. Every string comes back as it was, `\u0000` and emoji included.
 * 10. `seen` does not grow only: `mark` sets it to what it is given, if that is below the merged `read`. Without one it
 *    stays, until `read` grows.
 */
export interface Store {
  /** False if a crash of the process loses what was acknowledged. Told to clients as the capability `durable`. */
  readonly durable: boolean
  /** Appends that may be under way at once for disjoint conversations. 1 where a single writer gains nothing from more. */
  readonly parallel: number
  /**
   * Calls `flush` once all sockets that have something to read were read. For a store whose writes block the thread,
   * which else would store the first frame alone. @default entries at the end of the turn, marks at once
   */
  gather?(flush: () => void): void
  /** One outcome per send, in the same order. Sends of one conversation are stored in the order given. */
  append(sends: readonly Send[]): Promise<Outcome[]>
  read(conversation: string, range: Range): Promise<Entry[]>
  /** What each cid of this sender became; undefined where it is not in the log. */
  find(conversation: string, from: string, cids: readonly string[]): Promise<(Stored | undefined)[]>
  /** One head per conversation, in the same order. */
  heads(conversations: readonly string[]): Promise<Head[]>
  /**
   * The last 8 characters of the id at a seq, also of an entry that retention has blanked: by it a device that was away
   * for long learns whether the log is still the one it knows. Empty at 0 and beyond the head.
   */
  tail(conversation: string, seq: number): Promise<string>
  /**
   * How many entries that count (`isCountable` of the protocol) each range holds, those of `except` and what retention
   * has taken left out. In the order asked.
   */
  count(ranges: readonly CountRange[]): Promise<number[]>
  /** The marks of all users of these conversations. */
  marks(conversations: readonly string[]): Promise<Mark[]>
  /** Merges by max, but for `seen`, and answers with the merged marks, in the same order. */
  mark(marks: readonly Mark[]): Promise<Mark[]>
  /** Makes `first` the first seq that has content. Never goes back. */
  retain(conversation: string, first: number): Promise<void>
  /** An id made with the store, changed only by an operator: a device whose epoch differs checks all that it has. */
  epoch(): Promise<string>
  /** Rows of the built-in friendships; absent where an app must bring its own. */
  readonly friendships?: FriendshipRows
  close(): Promise<void>
}

export type FriendshipState = 'pending' | 'accepted' | 'declined' | 'cancelled' | 'removed'

/** One row per pair of users, in either order: old data has both. */
export interface FriendshipRow {
  /** The id of the conversation. */
  id: string
  user1: string
  user2: string
  state: FriendshipState
  /** Who asked last. */
  requester: string
  /** Which of the two have blocked the other. */
  blockedBy: readonly string[]
  /** Ms since 1970. */
  createdAt: number
  changedAt: number
  /** Raised by each change. */
  version: number
}

/** Storage of friendships, without rules: those stand once, in `friendships.ts`. */
export interface FriendshipRows {
  /** Makes an id for a new row, where the ids of the storage have a form of their own. @default 22 random characters */
  newId?(): string
  get(id: string): Promise<FriendshipRow | undefined>
  /** The row of a pair, whichever way round it was stored. */
  between(one: string, other: string): Promise<FriendshipRow | undefined>
  /** All rows of a user, whatever their state. */
  of(user: string): Promise<FriendshipRow[]>
  /**
   * Compare and set. `expected` is the version that the caller saw, or undefined for a pair without a row.
   * False if somebody else was faster; then nothing changed.
   */
  put(row: FriendshipRow, expected: number | undefined): Promise<boolean>
}

/** The message of an entry, as members see it. `to` is the other one where there are two members. */
export function toMessage(entry: Entry, members: readonly string[]): IMessage {
  if (members.length !== 2) return entry
  const { id, conversation, seq, from, createdAt, cid, type, content, ref, meta } = entry
  const to = members[0] === from ? members[1]! : members[0]!
  const message: IMessage = { id, conversation, seq, from, to, createdAt, cid, type, content }
  if (ref !== undefined) message.ref = ref
  if (meta !== undefined) message.meta = meta
  return message
}
