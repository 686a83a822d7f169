import type { WsRequest } from '@kithwire/client'
import { type Runtime, systemRuntime } from '@kithwire/protocol'
import type { FriendsClient } from '../friends.js'
import { type Observable, observable } from './observable.js'

/** What every part of a model is made of. */
export interface Source {
  /** The client. Never to be called while rendering: where the provider owns it, this makes it. */
  client(): WsRequest
  friends: FriendsClient | undefined
  runtime: Runtime
}

/** What components watch of one client. Made of parts that come with the hooks which use them, so that others cost nothing. */
export interface ChatModel extends Source {
  /** While somebody watches it, a client that the provider owns is open. */
  lifetime: Observable<undefined>
  /** The one part that `make` makes of this client. */
  part<T>(make: (source: Source) => T): T
}

/**
 * @param make makes the client, when first needed
 * @param owned whether to close it when nobody watches any more
 */
export function chatModel(
  make: () => WsRequest,
  owned: boolean,
  friends?: FriendsClient,
  runtime: Runtime = systemRuntime,
): ChatModel {
  let chat: WsRequest | undefined
  const client = () => {
    chat ??= make()
    return chat
  }
  const source = { client, friends, runtime }
  const parts = new Map<unknown, unknown>()
  return {
    ...source,
    lifetime: observable(runtime, undefined, () => {
      const mine = client()
      return () => {
        if (!owned) return
        chat = undefined
        mine.close().catch(() => {})
      }
    }),
    part<T>(part: (source: Source) => T) {
      if (!parts.has(part)) parts.set(part, part(source))
      return parts.get(part) as T
    },
  }
}

/** A part of which there is one for each conversation, or user. */
export function oneForEach<T>(make: (source: Source, id: string) => T) {
  return (source: Source) => {
    const made = new Map<string, T>()
    return (id: string): T => {
      const one = made.get(id) ?? make(source, id)
      made.set(id, one)
      return one
    }
  }
}
