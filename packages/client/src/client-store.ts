import type { HeadTuple, IMessage, KithwireError, KithwireErrorCode, MarkTuple, SendItem } from '@kithwire/protocol'
import type { TabMessage } from './tabs.js'
import { type PlaceChange, placeOf } from './unread.js'

/** Who this device is to the server. Kept with the store, so that all tabs over one store are one device. */
export interface DeviceIdentity {
  /** 22 random characters. */
  device: string
  /** Raised before each connect: of two sockets of one device the server keeps the one with the higher attempt. */
  attempt: number
  /** The user whose store this is; absent until the first `welcome`. */
  user?: string
  /** The epoch of the server's store as of the last `welcome`. */
  epoch?: string
  /** Whether a `welcome` was taken in full: from then on a conversation that appears starts at `joined`, not at its head. */
  seeded: boolean
}

/** Where this device stands in one conversation. */
export interface ConversationState {
  conversation: string
  /** The seq behind which this device's view begins: it holds the entries base + 1 … applied, but for gaps. */
  base: number
  /** The last 8 characters of the id at `base`; empty if not known. */
  baseTail: string
  /** The last seq without a hole below it. */
  applied: number
  /** The last 8 characters of the id at `applied`; empty if not known. */
  tail: string
  /** The seq up to which this device's user has read. */
  read: number
  /** How far the others have got. */
  marks: readonly MarkTuple[]
  /** Entries of others above it count as unread: `read`, or less where the user has set that back. */
  seen: number
  /** How many entries do. Their texts may still be on the way, or never come here: they are older than this device. */
  unread: number
  /** Up to where `unread` counts. */
  counted: number
  /** `unread` lacks entries below `base`, until the server has been asked. */
  partial: boolean
  /** The server has not confirmed `seen` yet. */
  unsaid: boolean
  /** The `to` of every reset there was, oldest first: a reader that knows fewer of them goes back. */
  resets: readonly number[]
}

/** A message that waits for its acknowledgement, or that was refused for good. */
export interface OutboxItem extends SendItem {
  conversation: string
  /** Wall clock of the device, ms. For the age limit only. */
  queuedAt: number
  /** Why it was set aside. It stays until the app removes it, or until it turns out to have been stored. */
  failed?: KithwireErrorCode
}

/** Bounds of the outbox; see the options of the same names. */
export interface OutboxLimits {
  items: number
  bytes: number
  /** Nothing more is queued while the oldest item was queued before this wall clock time, ms. */
  oldest: number
}

/** What became of a cid of this device's user. */
export type SendOutcome =
  | { state: 'queued' }
  | { state: 'failed'; code: KithwireErrorCode }
  | { state: 'stored'; seq: number; id: string; at: number }

/** Where a log goes back to, and what the server says of it there. */
export interface ResetPoint {
  /** How many resets there were before. */
  resets: number
  /** The last seq that stays. */
  to: number
  tail: string
  marks: readonly MarkTuple[]
  /** Wall clock of the device, ms. */
  at: number
}

export interface Applied {
  /** The state after the transaction, or undefined for a conversation that the store does not know. */
  state: ConversationState | undefined
  /** How many of the entries were new. */
  added: number
}

/**
 * A hint that something changed. It may come late, doubled or not at all: whoever hears it looks into the store. It
 * reaches every watcher of the store, the tab that made the change included.
 */
export type StoreChange =
  | { kind: 'applied' | 'read' | 'unread' | 'reset'; conversation: string }
  /** A row of the outbox began to wait, or was forgotten. */
  | { kind: 'queued' | 'discarded'; conversation: string; cid: string }
  | { kind: 'sent'; conversation: string; cid: string; seq: number; id: string; at: number }
  | { kind: 'failed'; conversation: string; cid: string; code: KithwireErrorCode }
  | { kind: 'gap'; conversation: string; from: number; to: number }
  | { kind: 'marks'; conversation: string; marks: readonly MarkTuple[] }
  /** The store is not durable any more, and goes on without. */
  | { kind: 'trouble'; error: KithwireError }
  /** What was stored is gone, and this device with it; the store goes on as a new one. */
  | { kind: 'lost' }
  /** Somebody has wiped the store, in this tab or another. */
  | { kind: 'wiped' }
  | PassingChange

/** A change of one conversation. */
export type ConversationChange = Extract<StoreChange, { conversation: string }>

/** What one client tells the others over its store and what is stored nowhere. */
export type PassingChange =
  /** All rows of a conversation that are written on a socket and not answered. */
  | { kind: 'flight'; conversation: string; cids: readonly string[] }
  /** Typing or presence of another user; see the event `signal`. */
  | { kind: 'signal'; conversation: string; user: string; of: 'typing' | 'presence'; value: boolean }
  /** See the event `behind`. */
  | { kind: 'behind'; conversations: readonly string[] }
  /** What clients say to each other; see tabs.ts. */
  | { kind: 'tab'; from: string; message: TabMessage }
  /** A client that has just begun asks who is there. */
  | { kind: 'who' }

/**
 * What a device keeps: its identity, its place in each conversation, the entries it has, and its outbox. Several
 * `WsRequest`s (tabs) may share one store. An adapter keeps these invariants:
 *
 * 1. Every method is one transaction: all of it happens or nothing, and no two overlap. Calls of one client take effect
 *    in the order in which they were made. When a promise resolves, the change is as durable as `durable` says.
 * 2. `apply` compares inside its transaction: an entry is stored only if its seq is `applied + 1`. `applied` goes back
 *    in `reset` alone.
 * 3. Storing an entry, moving `applied` and deleting the outbox row with the entry's cid (failed or not, if the entry
 *    is of the store's user) are one transaction. An entry at or below `applied` still deletes its row.
 * 4. Outbox rows of one conversation keep the order in which they were added, also those that left and that a `reset`
 *    puts back. What was sent from elsewhere is put back behind the user's entry before it, whether that one is put back
 *    too or stays in the log, or in front of all.
 * 5. A store belongs to one user from the first `claim` on.
 * 6. Changes are told to every watcher after they were made.
 * 7. At most one holder of `lead` at a time where the platform has a lock; elsewhere everybody may hold it. Nothing but
 *    the number of connections depends on it.
 */
export interface ClientStore {
  /** False if the end of the process loses everything. */
  readonly durable: boolean
  /** Raises `attempt` and answers with the identity; makes it with the device id `fresh` if there is none. */
  attempt(fresh: string): Promise<DeviceIdentity>
  /** Takes another device id, unless it is not `old` any more. `attempt` starts again at 0. */
  renew(old: string, fresh: string): Promise<void>
  /** Makes the store `user`'s unless it is somebody's. Answers with its user. */
  claim(user: string): Promise<string>
  conversations(): Promise<ConversationState[]>
  conversation(conversation: string): Promise<ConversationState | undefined>
  /**
   * Takes heads of the server. A conversation that the store does not know starts as `startOf` says; of one that it
   * knows only the marks are merged, by max, and the user's own place as `moved` says. With `welcome` the epoch is stored and the device is seeded.
   *
   * @param welcome.after places from which the app wants to go on, for a device that was not seeded before.
   * @returns the states in the order of the heads.
   */
  meet(
    heads: readonly HeadTuple[],
    welcome?: { epoch: string; after: ReadonlyMap<string, number> },
  ): Promise<ConversationState[]>
  /** Stores ascending entries as far as they follow `applied`; see invariants 2 and 3. */
  apply(conversation: string, items: readonly IMessage[]): Promise<Applied>
  /**
   * Moves `applied` from `from` to `to` over entries that the server no longer has. False if `applied` is not `from`.
   *
   * @param tail of the entry that was at `to`, empty if the server does not tell: by it a later socket learns whether the
   *   log is still the same one
   */
  skip(conversation: string, from: number, to: number, tail: string): Promise<boolean>
  /**
   * Goes back to `to`: drops entries above it, puts the user's own ones among them, unless retention has blanked them,
   * into the outbox with their cids and `queuedAt: at`, lowers `read` and `seen` as `movedBack` says, replaces the marks
   * of the others, appends `to` to `resets`. `base` and `baseTail` become `to` and `tail` if `base` is above `to`. Does nothing and answers false if there were not `resets` resets before.
   */
  reset(conversation: string, point: ResetPoint): Promise<boolean>
  /** Merges by max what others have got. */
  mark(conversation: string, others: readonly MarkTuple[]): Promise<void>
  /** Moves this user's own place, as `moved` and `recounted` say. Does nothing for a conversation that is not known. */
  move(conversation: string, change: PlaceChange): Promise<void>
  /** Ascending entries with `seq > after`, at most `limit`. */
  messages(conversation: string, after: number, limit: number): Promise<IMessage[]>
  /** The last entry with `seq ≤ at`. */
  last(conversation: string, at: number): Promise<IMessage | undefined>
  /** Adds a row. `present`: the same row is there, or its entry; `conflict`: the cid is taken by other content. */
  enqueue(item: OutboxItem, limits: OutboxLimits): Promise<'queued' | 'present' | 'conflict' | 'full'>
  /** Conversations with rows that wait. */
  waiting(): Promise<string[]>
  /** Rows of a conversation that wait, in order, at most `limit`. */
  queued(conversation: string, limit: number): Promise<OutboxItem[]>
  /** All rows, those that were set aside included, of one conversation or of all: per conversation in order. */
  outgoing(conversation?: string): Promise<OutboxItem[]>
  /**
   * Sets a row aside. False if it is not there or already aside, or if `attempt` is not the last one: another socket of
   * the device sends the row as well, and what that one is answered holds.
   */
  fail(conversation: string, cid: string, code: KithwireErrorCode, attempt?: number): Promise<boolean>
  /** Removes a row that was set aside. */
  discard(conversation: string, cid: string): Promise<void>
  /**
   * Replaces a row that was set aside by one of the same content that waits behind all others. False if there is no
   * such row.
   */
  retry(conversation: string, cid: string, fresh: { cid: string; queuedAt: number }): Promise<boolean>
  /** Undefined for a cid that the store does not know. */
  outcome(conversation: string, cid: string): Promise<SendOutcome | undefined>
  /** Calls `look` after each change until the function it returns is called. */
  watch(look: (change: StoreChange) => void): () => void
  /** Tells every watcher, of this client and of others, and stores nothing. May be lost. */
  tell(change: PassingChange): void
  /** Calls `granted` once this client may connect. The function it returns gives that up, or the wait for it. */
  lead(granted: () => void): () => void
  /**
   * Forgets everything, for whoever signs out: also what is queued. All its clients are told `wiped`, and make a new
   * store if they go on.
   */
  wipe(): Promise<void>
  close(): Promise<void>
}

/** The last 8 characters of an entry's id, by which client and server tell whether they mean the same entry. */
export const tailOf = (id: string): string => id.slice(-8)

/** Where a device starts in a conversation that it has not seen before. For adapters. */
export function startOf(head: HeadTuple, seeded: boolean, after?: number): ConversationState {
  const [conversation, at, , joined, , read, marks, tail] = head
  const base = seeded ? joined : after === undefined ? at : Math.min(at, Math.max(joined, after))
  const known = base === at ? tail : ''
  const state = { conversation, base, baseTail: known, applied: base, tail: known, read, marks, resets: [] }
  const { seen, unread } = placeOf(head)
  const counts = unread !== undefined
  const partial = !counts && seen !== undefined && seen < base
  return { ...state, seen: seen ?? read, unread: unread ?? 0, counted: counts ? at : base, partial, unsaid: false }
}

/** The row of an own entry that a reset puts back. For adapters. */
export function queuedAgain(entry: IMessage, queuedAt: number): OutboxItem {
  const { conversation, cid, type, content, ref, meta } = entry
  return { conversation, cid, type, content, ...(ref && { ref }), ...(meta && { meta }), queuedAt }
}

/** Marks of several users merged by max, and which of them grew. For adapters. */
export function mergeMarks(
  old: readonly MarkTuple[],
  more: readonly MarkTuple[],
): { marks: MarkTuple[]; grown: MarkTuple[] } {
  const marks = new Map(old.map((mark) => [mark[0], mark]))
  const grown: MarkTuple[] = []
  for (const [user, delivered, read] of more) {
    const [, d, r] = marks.get(user) ?? [user, -1, -1]
    if (delivered <= d && read <= r) continue
    const mark: MarkTuple = [user, Math.max(delivered, d), Math.max(read, r)]
    marks.set(user, mark)
    grown.push(mark)
  }
  return { marks: [...marks.values()], grown }
}

/** Whether two say the same: a cid stands for one content only. For adapters. */
export function sameContent(one: SendItem, other: SendItem): boolean {
  const part = ({ type, content, ref, meta }: SendItem) => JSON.stringify([type, content, ref, meta])
  return part(one) === part(other)
}
