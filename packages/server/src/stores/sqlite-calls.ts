import type { CountRange, FriendshipRow, Mark, Outcome, Range, Send, Store } from '../store.js'
import type { Database } from './sqlite-database.js'
import { toKithwireError } from './sqlite-errors.js'
import { type Flat, flattenOutcomes, unflattenSends } from './sqlite-flat.js'
import { SqliteFriendships } from './sqlite-friendships.js'
import { SqliteLog } from './sqlite-log.js'
import { SqliteMarks } from './sqlite-marks.js'
import { Names } from './sqlite-names.js'

/** What the thread that holds the database does for the one that holds the store, by name. Arguments can be cloned. */
export function createCalls(database: Database) {
  const conversations = new Names(database, 'conversation')
  const users = new Names(database, 'user')
  const log = new SqliteLog(database, conversations, users)
  const marks = new SqliteMarks(database, conversations, users)
  const friendships = new SqliteFriendships(database)
  return {
    open: () => void database.open(),
    append: (sends: readonly Send[], at: number) => log.append(sends, at),
    appendFlat: (sends: Flat, at: number) => flattenOutcomes(log.append(unflattenSends(sends), at)),
    read: (conversation: string, range: Range) => log.read(conversation, range),
    list: (conversation: string, range: Range) => log.list(conversation, range),
    find: (conversation: string, from: string, cids: readonly string[]) => log.find(conversation, from, cids),
    heads: (names: readonly string[]) => log.heads(names),
    count: (ranges: readonly CountRange[]) => log.count(ranges),
    tail: (conversation: string, seq: number) => log.tail(conversation, seq),
    retain: (conversation: string, first: number) => log.retain(conversation, first),
    epoch: () => log.epoch(),
    marks: (names: readonly string[]) => marks.of(names),
    mark: (news: readonly Mark[]) => marks.merge(news),
    friendship: (id: string) => friendships.get(id),
    friendshipBetween: (one: string, other: string) => friendships.between(one, other),
    friendshipsOf: (user: string) => friendships.of(user),
    putFriendship: (row: FriendshipRow, expected: number | undefined) => friendships.put(row, expected),
    close: () => database.close(),
  }
}

export type Calls = ReturnType<typeof createCalls>
export type CallName = keyof Calls

/** How the store reaches the database, wherever that is. Rejects with KithwireErrors only. */
export interface Port {
  call<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>>
  append(sends: readonly Send[], at: number): Promise<Outcome[]>
  /** As a store has it. */
  readonly gather?: Store['gather']
  /** After all calls made before; none may follow. */
  close(): Promise<void>
}

/** The database on the thread of the store: each call blocks it until the disk has answered. */
export function sameThread(database: Database): Port {
  const calls = createCalls(database)
  const call: Port['call'] = async (name, ...args) => {
    try {
      return (calls[name] as (...args: unknown[]) => never)(...args)
    } catch (error) {
      throw toKithwireError(error)
    }
  }
  return {
    call,
    append: (sends, at) => call('append', sends, at),
    gather: (flush) => void setImmediate(flush),
    async close() {
      calls.close()
    },
  }
}
