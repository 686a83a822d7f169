import {
  type Conversation,
  type Friendship,
  type FriendsView,
  useConnection,
  useConversations,
  useFriends,
  usePresence,
} from '@kithwire/client/react'
import { type ReactNode, useState } from 'react'
import { Avatar } from './avatar'
import { NAMES, nameOf } from './people'
import { briefOf } from './times'

interface Shown {
  me: string
  selected: string | undefined
  onSelect(id: string): void
}

/** Friends with what is new from them, requests of both directions, and everybody else. */
export function Sidebar({ me, selected, onSelect }: Shown) {
  const view = useFriends()
  const conversations = useConversations()
  const [problem, setProblem] = useState('')
  const act = (action: Promise<unknown>) => {
    setProblem('')
    action.catch((error: Error) => setProblem(error.message))
  }
  const byId = new Map(conversations.map((row) => [row.conversation, row]))
  const latest = ({ id }: Friendship) => byId.get(id)?.last?.createdAt ?? 0
  const friends = [...view.friends].sort((a, b) => latest(b) - latest(a))
  const known = knownIn(view)
  const others = [...NAMES.keys()].filter((user) => user !== me && !known.has(user))
  return (
    <nav className="sidebar" aria-label="Conversations">
      {view.error && (
        <p className="problem" role="alert">
          Friends cannot be loaded now ({view.error.code}).
        </p>
      )}
      {problem !== '' && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <People title="Requests" people={view.incoming}>
        {({ id, user }) => (
          <>
            <button type="button" className="small primary" onClick={() => act(view.accept(id))}>
              Accept<span className="visually-hidden"> {nameOf(user)}</span>
            </button>
            <button type="button" className="small" onClick={() => act(view.decline(id))}>
              Decline<span className="visually-hidden"> {nameOf(user)}</span>
            </button>
          </>
        )}
      </People>
      {friends.length > 0 && (
        <ul className="people" aria-label="Friends">
          {friends.map((friend) => (
            <li key={friend.id}>
              <Line
                friend={friend}
                me={me}
                row={byId.get(friend.id)}
                current={friend.id === selected}
                onSelect={() => onSelect(friend.id)}
              />
            </li>
          ))}
        </ul>
      )}
      {friends.length + view.blocked.length === 0 && !view.loading && !view.error && (
        <div className="empty">
          <p>No friends yet.</p>
          <p>Ask somebody below: once they accept, you can write to each other.</p>
        </div>
      )}
      <People title="Asked by you" people={view.outgoing}>
        {({ id, user }) => (
          <button type="button" className="small" onClick={() => act(view.cancel(id))}>
            Cancel<span className="visually-hidden"> the request to {nameOf(user)}</span>
          </button>
        )}
      </People>
      <People title="Blocked" people={view.blocked}>
        {({ id, user }) => (
          <button type="button" className="small" onClick={() => act(view.unblock(id))}>
            Unblock<span className="visually-hidden"> {nameOf(user)}</span>
          </button>
        )}
      </People>
      {!view.loading && (
        <People title="Not yet friends" people={others.map((user) => ({ id: user, user }))}>
          {({ user }) => (
            <button type="button" className="small" onClick={() => act(view.request(user))}>
              Add<span className="visually-hidden"> {nameOf(user)} as a friend</span>
            </button>
          )}
        </People>
      )}
    </nav>
  )
}

const knownIn = ({ friends, incoming, outgoing, blocked }: FriendsView): Set<string> =>
  new Set([friends, incoming, outgoing, blocked].flatMap((list) => list.map(({ user }) => user)))

interface LineProps {
  friend: Friendship
  me: string
  row: Conversation | undefined
  current: boolean
  onSelect(): void
}

function Line({ friend: { user }, me, row, current, onSelect }: LineProps) {
  const unread = row?.unread ?? 0
  const last = row?.last
  const online = usePresence(user)
  const known = useConnection().online
  return (
    <button type="button" className="line" aria-current={current || undefined} onClick={onSelect}>
      <Avatar user={user} online={known && online} />
      <span className="line-text">
        <span className="line-name">{nameOf(user)}</span>
        {last ? <time dateTime={new Date(last.createdAt).toISOString()}>{briefOf(last.createdAt)}</time> : <span />}
        <span className="line-last">
          {last?.from === me && 'You: '}
          {last ? <bdi>{last.content.slice(0, 120)}</bdi> : 'No messages yet'}
        </span>
        {unread > 0 && (
          <span className="badge">
            {unread > 99 ? '99+' : unread}
            <span className="visually-hidden"> unread</span>
          </span>
        )}
      </span>
    </button>
  )
}

type Person = Pick<Friendship, 'id' | 'user'>

function People<P extends Person>({
  title,
  people,
  children,
}: {
  title: string
  people: readonly P[]
  children: (person: P) => ReactNode
}) {
  if (people.length === 0) return null
  return (
    <section>
      <h3 className="section">{title}</h3>
      <ul className="people" aria-label={title}>
        {people.map((person) => (
          <li key={person.id} className="line person">
            <Avatar user={person.user} />
            <span className="line-text">
              <span className="line-name">{nameOf(person.user)}</span>
            </span>
            <span className="actions">{children(person)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
