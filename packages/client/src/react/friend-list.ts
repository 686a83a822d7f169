import { KithwireError } from '@kithwire/client'
import type { Timer } from '@kithwire/protocol'
import type { Friendship } from '../friends.js'
import type { Source } from './chat-model.js'
import { later, listen, type Observable, observable } from './observable.js'

/** Friendships and requests, sorted by what can be done with them. Somebody who is blocked is in `blocked` alone. */
export interface FriendsView {
  readonly friends: readonly Friendship[]
  /** Requests of others that wait for this user's answer. */
  readonly incoming: readonly Friendship[]
  /** Requests of this user that wait. */
  readonly outgoing: readonly Friendship[]
  /** Blocked by this user. */
  readonly blocked: readonly Friendship[]
  /** Until the first list has come. */
  readonly loading: boolean
  /** Why the last list did not come. */
  readonly error: KithwireError | undefined
}

/** Changes of friendships; each resolves when the list shows it. */
export interface FriendActions {
  request(user: string): Promise<Friendship>
  accept(id: string): Promise<Friendship>
  decline(id: string): Promise<Friendship>
  cancel(id: string): Promise<Friendship>
  remove(id: string): Promise<Friendship>
  block(id: string): Promise<Friendship>
  unblock(id: string): Promise<Friendship>
  /** Asks the server again. Happens by itself at each connection, each change of membership, and every 20 s. */
  refresh(): Promise<void>
}

export interface FriendList extends Observable<FriendsView> {
  actions: FriendActions
}

/** Ms between two looks: the server tells of a new conversation, and not of a request. */
const EVERY = 20_000

const NONE: FriendsView = { friends: [], incoming: [], outgoing: [], blocked: [], loading: true, error: undefined }

export function friendListOf({ client, friends: http, runtime }: Source): FriendList {
  let show: (view: FriendsView) => void = () => {}
  let asked = 0
  let text = ''
  const need = () => {
    if (http) return http
    throw new KithwireError('bad_option', 'friends: expected a FriendsClient in ChatProvider, came none.')
  }

  async function refresh(): Promise<void> {
    const mine = ++asked
    const { error, ...old } = view.get()
    try {
      const all = await need().list()
      const now = JSON.stringify(all)
      // Answers may overtake each other.
      if (mine !== asked || (now === text && !error)) return
      text = now
      const open = all.filter(({ blockedBy, user }) => blockedBy.every((by) => by === user))
      const pending = open.filter(({ state }) => state === 'pending')
      show({
        friends: open.filter(({ state }) => state === 'accepted'),
        incoming: pending.filter(({ requester, user }) => requester === user),
        outgoing: pending.filter(({ requester, user }) => requester !== user),
        blocked: all.filter((each) => !open.includes(each)),
        loading: false,
        error: undefined,
      })
    } catch (cause) {
      if (mine === asked) show({ ...old, loading: false, error: cause as KithwireError })
    }
  }

  const act = (name: keyof Omit<FriendActions, 'refresh'>) => async (id: string) => {
    const result = await need()[name](id)
    await refresh()
    return result
  }

  const view = observable(runtime, NONE, (set) => {
    show = set
    let timer: Timer
    const look = later(runtime, () => {
      runtime.clearTimer(timer)
      timer = runtime.setTimer(look, EVERY)
      void refresh()
    })
    const off = listen(client(), {
      behind: look,
      state: (phase) => {
        if (phase === 'online') look()
      },
    })
    look()
    return () => {
      off()
      runtime.clearTimer(timer)
    }
  })
  const names = ['request', 'accept', 'decline', 'cancel', 'remove', 'block', 'unblock'] as const
  const actions = { refresh, ...Object.fromEntries(names.map((name) => [name, act(name)])) } as unknown as FriendActions
  return { ...view, actions }
}
