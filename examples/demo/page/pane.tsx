import { FriendsClient } from '@kithwire/client/friends'
import { indexedDb } from '@kithwire/client/indexed-db'
import { ChatProvider, useFriends, useUnread } from '@kithwire/client/react'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { Avatar } from './avatar'
import { Chat } from './chat'
import { FramesPanel } from './frames-panel'
import { Icon } from './icons'
import { NAMES, nameOf } from './people'
import { tokenOf } from './session'
import { Sidebar } from './sidebar'
import { Status, Trouble } from './status'
import { Wire } from './wire'

const URL = `${location.origin.replace(/^http/, 'ws')}/chat/ws`

interface PaneProps {
  user: string
  onPerson(user: string): void
  onUnread(user: string, unread: number): void
}

/** One person's window: a network, a client and a store of their own. */
export function Pane(props: PaneProps) {
  const { user } = props
  const [made] = useState(() => {
    const wire = new Wire()
    const token = tokenOf(user, wire)
    const store = indexedDb({ name: 'kithwire-demo' })
    return {
      wire,
      friends: new FriendsClient('/chat', { token, fetch: tellingOthers(wire.fetch) }),
      options: { user, token, store, socket: wire.open, wakeups: wire.wakeups },
    }
  })
  return (
    <ChatProvider url={URL} options={made.options} friends={made.friends}>
      <Window {...props} wire={made.wire} />
    </ChatProvider>
  )
}

/** The server does not push requests; the windows of one browser tell each other to look, instead of waiting 20 s. */
const CHANGES = 'kithwire-demo friends'
const changes = new BroadcastChannel(CHANGES)

function tellingOthers(through: Wire['fetch']): Wire['fetch'] {
  return async (input, init) => {
    const response = await through(input, init)
    if (response.ok && init?.method !== 'GET') changes.postMessage('changed')
    return response
  }
}

function useChangesOfOthers(refresh: () => Promise<void>): void {
  useEffect(() => {
    const channel = new BroadcastChannel(CHANGES)
    channel.onmessage = () => void refresh()
    return () => channel.close()
  }, [refresh])
}

function Window({ user, onPerson, onUnread, wire }: PaneProps & { wire: Wire }) {
  const cut = useSyncExternalStore(wire.subscribe, wire.isCut)
  const [frames, setFrames] = useState(false)
  const [chosen, setChosen] = useState<string>()
  const [open, setOpen] = useState(false)
  const { friends, blocked, loading, refresh } = useFriends()
  useChangesOfOthers(refresh)
  const unread = useUnread()
  useEffect(() => onUnread(user, unread), [onUnread, user, unread])
  const all = [...friends, ...blocked]
  const friend = all.find(({ id }) => id === chosen) ?? all[0]
  const name = nameOf(user)
  return (
    <section className="pane" aria-label={`${name}'s window`} data-open={(open && friend) || undefined}>
      <header className="pane-head">
        <Avatar user={user} />
        <div className="who">
          <h2>
            <label className="me">
              <span className="visually-hidden">Whose window this is</span>
              <select value={user} onChange={({ target }) => onPerson(target.value)}>
                {[...NAMES].map(([id, label]) => (
                  <option key={id} value={id}>
                    {label}
                  </option>
                ))}
              </select>
            </label>
          </h2>
          <Status cut={cut} />
        </div>
        <button
          type="button"
          className="tool"
          aria-pressed={frames}
          onClick={() => setFrames(!frames)}
          title="Show the frames as they pass"
        >
          <Icon name="frames" />
          <span className="visually-hidden">Frames</span>
        </button>
        <label className="switch" title="Cut the socket and refuse new ones">
          <input type="checkbox" checked={cut} onChange={({ target }) => wire.setCut(target.checked)} />
          <span>Offline</span>
        </label>
      </header>
      <Trouble cut={cut} />
      <div className="pane-body">
        <Sidebar
          me={user}
          selected={friend?.id}
          onSelect={(id) => {
            setChosen(id)
            setOpen(true)
          }}
        />
        {friend ? (
          <Chat key={friend.id} friend={friend} onBack={() => setOpen(false)} />
        ) : (
          <div className="chat nobody">
            <div className="empty">
              <Icon name="people" />
              <p>{loading ? 'Loading…' : 'Nobody to write to yet.'}</p>
            </div>
          </div>
        )}
      </div>
      {frames && <FramesPanel wire={wire} name={name} />}
    </section>
  )
}
