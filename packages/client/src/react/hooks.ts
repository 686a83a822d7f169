import type { SendInput, Sent, WsRequest } from '@kithwire/client'
import { useCallback, useMemo, useSyncExternalStore } from 'react'
import { oneForEach } from './chat-model.js'
import { type Connection, connectionOf } from './connection-view.js'
import { type Conversation, conversationsOf } from './conversation-list.js'
import { type FriendActions, type FriendsView, friendListOf } from './friend-list.js'
import type { Observable } from './observable.js'
import { useModel } from './provider.js'
import { type TimelineView, timelineOf } from './timeline.js'
import { presenceOf, typingIn } from './typing.js'

function useObservable<T, Part = T>({ subscribe, get, empty }: Observable<T>, pick: (value: T) => Part): Part {
  return useSyncExternalStore(
    subscribe,
    () => pick(get()),
    () => pick(empty()),
  )
}

const whole = <T>(value: T) => value
const timelines = /* @__PURE__ */ oneForEach(timelineOf)
const typings = /* @__PURE__ */ oneForEach(typingIn)
const presences = /* @__PURE__ */ oneForEach(presenceOf)

/** Answers with the client, for event handlers and effects. Not to be called while rendering. */
export function useClient(): () => WsRequest {
  return useModel().client
}

/** What the connection is doing, and who this is. */
export function useConnection(): Connection {
  return useObservable(useModel().part(connectionOf), whole)
}

/** All conversations, that with the newest entry first, with its unread count. */
export function useConversations(): readonly Conversation[] {
  return useObservable(useModel().part(conversationsOf), whole)
}

/** How many messages of others are unread: in one conversation, or in all. */
export function useUnread(conversation?: string): number {
  return useObservable(useModel().part(conversationsOf), (list) => {
    let sum = 0
    for (const each of list) if (conversation === undefined || each.conversation === conversation) sum += each.unread
    return sum
  })
}

export interface Messages extends TimelineView {
  /** Brings up to 50 older entries in front. Does nothing where there are none, or some are on their way. */
  loadOlder(): Promise<void>
  /** Marks as read up to `seq`, or all that this device has. */
  markRead(seq?: number): Promise<void>
}

/**
 * The messages of a conversation: what is stored, once each and in order, then own ones on their way, each with its
 * state. Begins with the newest 50; only changes of this conversation render.
 */
export function useMessages(conversation: string): Messages {
  const model = useModel()
  const timeline = model.part(timelines)(conversation)
  const view = useObservable(timeline, whole)
  return useMemo(
    () => ({
      ...view,
      loadOlder: timeline.loadOlder,
      markRead: (seq?: number) => model.client().markRead(conversation, seq),
    }),
    [view, timeline, model, conversation],
  )
}

/** Sends to a conversation: a text, or a message with more to it. The same function at each render. */
export function useSend(conversation: string): (message: string | Omit<SendInput, 'conversation'>) => Promise<Sent> {
  const { client } = useModel()
  return useCallback(
    (message) => client().send({ ...(typeof message === 'string' ? { content: message } : message), conversation }),
    [client, conversation],
  )
}

/** Who else is typing, and a function that tells the others whether this user is. */
export function useTyping(conversation: string): [users: readonly string[], setTyping: (on: boolean) => void] {
  const { client, part } = useModel()
  const users = useObservable(part(typings)(conversation), whole)
  return [users, useCallback((on) => client().typing(conversation, on), [client, conversation])]
}

/** Whether a user is online, or anybody else in a conversation; false for one who hides it. */
export function usePresence(userOrConversation: string): boolean {
  return useObservable(useModel().part(presences)(userOrConversation), whole)
}

/** Friends and requests, and what to do with them. The provider needs `friends`. */
export function useFriends(): FriendsView & FriendActions {
  const friends = useModel().part(friendListOf)
  const view = useObservable(friends, whole)
  return useMemo(() => ({ ...view, ...friends.actions }), [view, friends])
}
