import { useClient, useConnection } from '@kithwire/client/react'
import { useEffect, useState } from 'react'
import { Icon } from './icons'

const PHASES = {
  idle: 'Starting…',
  following: 'Connected through another tab',
  waiting: 'Reconnecting…',
  connecting: 'Connecting…',
  greeting: 'Connecting…',
  online: 'Online',
  stopped: 'Not connected',
  closed: 'Closed',
} as const

/** What the connection is doing, in a word. */
export function Status({ cut }: { cut: boolean }) {
  const { phase } = useConnection()
  return (
    <p className="state" role="status" data-phase={cut ? 'cut' : phase}>
      {cut ? 'Offline' : PHASES[phase]}
    </p>
  )
}

/** How many messages of this user wait in the outbox, in all conversations. */
function useWaiting(): number {
  const client = useClient()
  const [waiting, setWaiting] = useState(0)
  useEffect(() => {
    const chat = client()
    let live = true
    const count = async () => {
      const rows = await chat.outgoing()
      if (live) setWaiting(rows.filter(({ state }) => state !== 'failed').length)
    }
    const look = () => void count().catch(() => {})
    chat.on('outgoing', look)
    look()
    return () => {
      live = false
      chat.off('outgoing', look)
    }
  }, [client])
  return waiting
}

/** A strip that says what is wrong, and what happens to what is written meanwhile. */
export function Trouble({ cut }: { cut: boolean }) {
  const { phase, error } = useConnection()
  const client = useClient()
  const waiting = useWaiting()
  const up = phase === 'online' || phase === 'following'
  const badge = waiting > 0 && (
    <span className="outbox">
      <Icon name="outbox" />
      {waiting} in the outbox
    </span>
  )
  if (!cut && up) return badge && waiting > 3 ? <div className="trouble-bar calm">{badge}</div> : null
  if (!cut && (phase === 'idle' || (!error && phase !== 'waiting' && phase !== 'stopped'))) return null
  return (
    <div className="trouble-bar">
      <span>
        {cut
          ? 'The network is cut. What you write is kept, and sent later.'
          : phase === 'stopped'
            ? `The server refused the connection (${error?.code ?? 'unknown'}).`
            : 'The connection is lost. Trying again…'}
      </span>
      {badge}
      {phase === 'stopped' && (
        <button type="button" className="small" onClick={() => client().connect()}>
          Connect
        </button>
      )}
    </div>
  )
}
