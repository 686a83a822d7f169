import type { MessageState } from '@kithwire/client/react'

const PATHS = {
  back: 'M15 5l-7 7 7 7',
  send: 'M4 12l16-8-6 16-3-7z',
  more: 'M12 5.5v.01M12 12v.01M12 18.5v.01',
  down: 'M6 9l6 6 6-6',
  plus: 'M12 5v14M5 12h14',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.4 1.4M17.6 17.6L19 19M19 5l-1.4 1.4M6.4 17.6L5 19',
  moon: 'M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z',
  bolt: 'M13 3L5 14h6l-1 7 8-11h-6z',
  frames: 'M8 4v16M8 4L5 7M8 4l3 3M16 20V4M16 20l-3-3M16 20l3-3',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l2.5 2.5',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M1.5 12.5L6 17l9-9.5M11 15.5l1.5 1.5 10-9.5',
  alert: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v5M12 16v.01',
  outbox: 'M4 13l3-8h10l3 8v6H4zM4 13h5l1 2h4l1-2h5',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M17 8v6M14 11h6',
  chat: 'M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z',
} as const

export function Icon({ name, className = '' }: { name: keyof typeof PATHS; className?: string }) {
  return (
    <svg className={`icon ${className}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}

const TICKS = {
  queued: ['clock', 'Waiting to be sent'],
  sent: ['clock', 'Being sent'],
  stored: ['check', 'Stored'],
  delivered: ['checks', 'Delivered'],
  read: ['checks', 'Read'],
  failed: ['alert', 'Not sent'],
} as const satisfies Record<MessageState, readonly [keyof typeof PATHS, string]>

/** How far an own message has got. */
export function Ticks({ state }: { state: MessageState }) {
  const [name, label] = TICKS[state]
  return (
    <span className="ticks" data-state={state} title={label}>
      <Icon name={name} />
      <span className="visually-hidden">{label}</span>
    </span>
  )
}
