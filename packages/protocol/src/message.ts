/** The kinds of entry that every Kithwire server stores. Further ones are open: a kind is any short name. */
export type MessageType = 'text' | 'emoji' | 'file' | (string & {})

/** Kinds of entries that are something to read, and so count as unread until they were. */
export const COUNTABLE_TYPES: readonly MessageType[] = Object.freeze(['text', 'emoji', 'file'])

export const isCountable = (type: MessageType): boolean => COUNTABLE_TYPES.includes(type)

/** The author and the `cid` of the entry that another one is about: a `seq` would point elsewhere after a restored backup. */
export type MessageRef = readonly [from: string, cid: string]

/** Extra data of an entry. JSON only, at most four levels deep; counts against the limit of `content`. */
export type MessageMeta = { readonly [key: string]: unknown }

/** One entry of the log of a conversation, as every member sees it. */
export interface IMessage {
  /** Given by the store, unique in it. Opaque. */
  id: string
  /** The conversation, which for two friends is the id of their friendship. */
  conversation: string
  /** Place in the conversation: 1, 2, 3 … with no gap. */
  seq: number
  /** The user who sent it, as the server authenticated them. */
  from: string
  /** The other one of two friends; absent where a conversation has other than two members. */
  to?: string
  type: MessageType
  content: string
  /** Server time in milliseconds since 1970. For display only: nothing is ordered by it. */
  createdAt: number
  /** The id that the sending device gave it. `(conversation, from, cid)` is unique for ever. */
  cid: string
  ref?: MessageRef
  meta?: MessageMeta
}

/** What a client sends of an entry; the server adds the rest. */
export interface SendItem {
  cid: string
  type: MessageType
  content: string
  ref?: MessageRef
  meta?: MessageMeta
}
