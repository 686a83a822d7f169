import { nameOf, toneOf } from './people'

/** The initial of a person, and a dot while they are there. */
export function Avatar({ user, online }: { user: string; online?: boolean | undefined }) {
  return (
    <span className={`avatar ${toneOf(user)}`} data-online={online || undefined} aria-hidden="true">
      {nameOf(user)[0]}
    </span>
  )
}
