import type { ChatMessage } from '@kithwire/client/react'
import { memo } from 'react'
import { Ticks } from './icons'
import { nameOf } from './people'
import { isEmoji, linked } from './text'
import { clockOf, momentOf } from './times'

export interface Row {
  message: ChatMessage
  /** The day that begins with this message. */
  day: string | undefined
  /** Whether it continues what the same person said just before, or is continued. */
  continues: boolean
  continued: boolean
}

const REASONS: Record<string, string> = {
  blocked: 'One of you has blocked the other.',
  not_found: 'You are not friends any more.',
  too_large: 'It is too long.',
  unknown_outcome: 'It is not known whether it arrived.',
}

/** One message, with the day that it begins in front of it. */
export const MessageRow = memo(function MessageRow({ row: { message, day, continues, continued } }: { row: Row }) {
  const { own, content, state, at, from, failed } = message
  const shape = `${own ? 'own' : 'other'}${continues ? ' continues' : ''}${continued ? ' continued' : ''}`
  return (
    <div className={`row ${shape}`} data-key={message.key} data-seq={message.seq ?? ''}>
      {day !== undefined && (
        <p className="day">
          <span>{day}</span>
        </p>
      )}
      <article className="bubble" data-state={state} data-emoji={isEmoji(content) || undefined}>
        <span className="visually-hidden">{own ? 'You' : nameOf(from)}: </span>
        <p className="content" dir="auto">
          {content === '' ? <em>This message is not kept any more.</em> : linked(content)}
        </p>
        <footer className="meta">
          <time dateTime={new Date(at).toISOString()} title={momentOf(at)}>
            {clockOf(at)}
          </time>
          {own && <Ticks state={state} />}
        </footer>
      </article>
      {state === 'failed' && (
        <p className="trouble">
          Not sent. {REASONS[failed ?? ''] ?? `The server said: ${failed}.`}{' '}
          <span>
            <button type="button" className="link" onClick={() => message.retry().catch(() => {})}>
              Try again
            </button>{' '}
            <button type="button" className="link" onClick={() => message.discard().catch(() => {})}>
              Delete
            </button>
          </span>
        </p>
      )}
    </div>
  )
})

/** A pause after which the next message of the same person stands apart. */
const PAUSE = 5 * 60_000

/** Messages with what their neighbours make of them; rows that have not changed stay the same. */
export function rowsOf(messages: readonly ChatMessage[], old: readonly Row[], dayOf: (at: number) => string): Row[] {
  const known = new Map(old.map((row) => [row.message.key, row]))
  const days = messages.map(({ at }) => dayOf(at))
  const joins = (index: number) => {
    const [one, other] = [messages[index - 1], messages[index]]
    if (!one || !other || one.from !== other.from || days[index - 1] !== days[index]) return false
    return other.at - one.at < PAUSE && one.state !== 'failed'
  }
  return messages.map((message, index) => {
    const row: Row = {
      message,
      day: days[index] === days[index - 1] ? undefined : days[index],
      continues: joins(index),
      continued: joins(index + 1),
    }
    const before = known.get(message.key)
    const same =
      before?.message === message &&
      before.day === row.day &&
      before.continues === row.continues &&
      before.continued === row.continued
    return same ? before : row
  })
}
