import { type Friendship, useConnection, useFriends, useMessages, usePresence, useTyping } from '@kithwire/client/react'
import { Avatar } from './avatar'
import { Composer } from './composer'
import { Icon } from './icons'
import { Menu } from './menu'
import { MessageList } from './message-list'
import { nameOf } from './people'

/** One conversation: who it is with, its log, and where to write. */
export function Chat({ friend, onBack }: { friend: Friendship; onBack(): void }) {
  const { id, user, blockedBy } = friend
  const name = nameOf(user)
  const chat = useMessages(id)
  const [typing] = useTyping(id)
  const online = usePresence(user)
  const known = useConnection().online && blockedBy.length === 0
  const { block, unblock, remove } = useFriends()
  const mine = blockedBy.some((by) => by !== user)
  const closed = mine
    ? `You have blocked ${name}. Nobody can write here until you unblock.`
    : blockedBy.length > 0
      ? `${name} does not take messages from you at the moment.`
      : undefined
  const act = (action: (id: string) => Promise<unknown>) => () => void action(id).catch(() => {})
  return (
    <section className="chat" aria-label={`Conversation with ${name}`}>
      <header className="chat-head">
        <button type="button" className="tool back" onClick={onBack} aria-label="Back to all conversations">
          <Icon name="back" />
        </button>
        <Avatar user={user} online={known && online} />
        <div className="who">
          <h3>{name}</h3>
          <p className={typing.length > 0 ? 'typing' : ''} role="status">
            {typing.length > 0 ? `${name} is typing…` : known ? (online ? 'Online' : 'Away') : ''}
          </p>
        </div>
        <Menu label={`What to do with ${name}`}>
          <button type="button" onClick={act(mine ? unblock : block)}>
            {mine ? `Unblock ${name}` : `Block ${name}`}
          </button>
          <button type="button" onClick={act(remove)}>
            Remove {name} as a friend
          </button>
        </Menu>
      </header>
      <MessageList chat={chat} friend={name} />
      {closed === undefined ? (
        <Composer conversation={id} friend={name} />
      ) : (
        <Composer conversation={id} friend={name} closed={closed} />
      )}
    </section>
  )
}
