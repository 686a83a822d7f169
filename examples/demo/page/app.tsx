import { StrictMode, useCallback, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { Icon } from './icons'
import { Pane } from './pane'
import { NAMES, nameOf } from './people'
import { useTheme } from './theme'

/** `/?as=ann` shows one person, as in two windows side by side; without it two are on the page. */
function whoIsHere(): string[] {
  const named = new URLSearchParams(location.search).get('as')?.split(',') ?? []
  const people = [...new Set(named)].filter((user) => NAMES.has(user)).slice(0, 2)
  return people.length > 0 ? people : ['ann', 'ben']
}

function App() {
  const [people, setPeople] = useState(whoIsHere)
  const [shown, setShown] = useState(0)
  const [unread, setUnread] = useState<Record<string, number>>({})
  const [theme, toggleTheme] = useTheme()
  const onUnread = useCallback(
    (user: string, count: number) => setUnread((before) => ({ ...before, [user]: count })),
    [],
  )
  const sum = people.reduce((before, user) => before + (unread[user] ?? 0), 0)
  useEffect(() => {
    document.title = sum > 0 ? `(${sum}) Kithwire demo` : 'Kithwire demo'
  }, [sum])

  function change(index: number, user: string): void {
    // Two windows of one person have one socket and nothing to say to each other: they change places instead.
    const next = people.map((old, at) => (at === index ? user : old === user ? people[index]! : old))
    setPeople(next)
    history.replaceState(null, '', `?as=${next.join()}`)
  }

  return (
    <>
      <header className="bar">
        <img src="icon.svg" alt="" width="28" height="28" />
        <h1>Kithwire</h1>
        <p>Friends, and every message once and in order.</p>
        {people.length > 1 && (
          <fieldset className="tabs">
            <legend className="visually-hidden">Whose window to show</legend>
            {people.map((user, index) => (
              <label key={user}>
                <input
                  type="radio"
                  name="pane"
                  className="visually-hidden"
                  checked={index === shown}
                  onChange={() => setShown(index)}
                />
                <span>
                  {nameOf(user)}
                  {index !== shown && (unread[user] ?? 0) > 0 && <span className="badge">{unread[user]}</span>}
                </span>
              </label>
            ))}
          </fieldset>
        )}
        <KillButton />
        <button type="button" className="tool" onClick={toggleTheme} aria-pressed={theme === 'dark'} title="Dark mode">
          <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
          <span className="visually-hidden">Dark mode</span>
        </button>
      </header>
      <main className="panes" data-shown={shown} data-count={people.length}>
        {people.map((user, index) => (
          <Pane key={user} user={user} onPerson={(next) => change(index, next)} onUnread={onUnread} />
        ))}
      </main>
    </>
  )
}

/** Kills the server with SIGKILL. It is started again at once, and the page heals by itself. */
function KillButton() {
  const [kills, setKills] = useState(0)
  const kill = async () => {
    setKills((before) => before + 1)
    // The answer never comes.
    await fetch('/kill', { method: 'POST', headers: { 'X-Demo': '1' } }).catch(() => {})
  }
  return (
    <>
      <button type="button" className="kill" onClick={() => void kill()} title="kill -9, and a new start">
        <Icon name="bolt" />
        <span>Kill the server</span>
      </button>
      <span className="visually-hidden" role="status">
        {kills > 0 ? `The server was killed ${kills === 1 ? 'once' : `${kills} times`}, and starts again.` : ''}
      </span>
    </>
  )
}

createRoot(document.querySelector('#app')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
