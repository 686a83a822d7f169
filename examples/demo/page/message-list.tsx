import type { ChatMessage, Messages } from '@kithwire/client/react'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { Icon } from './icons'
import { MessageRow, type Row, rowsOf } from './message-row'
import { nameOf } from './people'
import { dayOf } from './times'

/** Pixels from an edge at which one counts as being there. */
const AT_END = 80
const AT_START = 600

/** A log that stays where the reader is: at the end as messages come, in place as older ones come in front. */
export function MessageList({ chat, friend }: { chat: Messages; friend: string }) {
  const { messages, loading, hasOlder, error, loadOlder, markRead } = chat
  const list = useRef<VirtualizerHandle>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const old = useRef<Row[]>([])
  const rows = rowsOf(messages, old.current, dayOf)
  const first = old.current[0]?.message.key
  const prepended = first !== undefined && rows.length > old.current.length && rows[0]!.message.key !== first
  const [atEnd, setAtEnd] = useState(true)
  const [shown, setShown] = useState(false)
  const [seen, setSeen] = useState('')
  const last = messages.at(-1)
  const fresh = atEnd ? 0 : messages.length - 1 - messages.findIndex(({ key }) => key === seen)

  const toEnd = () => list.current?.scrollToIndex(rows.length - 1, { align: 'end' })
  // The newest message moves the list if the reader is at its end, or wrote it.
  const stick = atEnd || (last?.own && last.key !== old.current.at(-1)?.message.key)
  useLayoutEffect(() => {
    old.current = rows
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is new decides, not what was rendered.
  useLayoutEffect(() => {
    if (stick && rows.length > 0) toEnd()
  }, [last?.key, rows.length, last?.state === 'failed'])
  useEffect(() => {
    if (atEnd && last) setSeen(last.key)
  }, [atEnd, last])

  const look = () => {
    const { scrollOffset, scrollSize, viewportSize } = list.current!
    if (viewportSize === 0) return
    setAtEnd(scrollSize - scrollOffset - viewportSize < AT_END)
    if (scrollOffset < AT_START && hasOlder && !loading && !error) void loadOlder()
  }
  // A page may be shorter than the window.
  useEffect(() => {
    const { scrollSize, viewportSize } = list.current!
    if (shown && scrollSize - viewportSize < AT_START && hasOlder && !loading && !error) void loadOlder()
  })
  useRead(shown && atEnd, lastOfOthers(messages)?.seq, markRead)
  // The window grows and shrinks with the keyboard of a phone, and is hidden behind others.
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      setShown(scroller.current!.clientHeight > 0)
      if (atEnd) list.current?.scrollToIndex(old.current.length - 1, { align: 'end' })
    })
    observer.observe(scroller.current!)
    return () => observer.disconnect()
  }, [atEnd])

  return (
    <div className="log-frame">
      <div
        className="log"
        ref={scroller}
        role="log"
        aria-live="off"
        tabIndex={0}
        aria-label={`Messages with ${friend}`}
      >
        <div className="log-space" />
        <Virtualizer ref={list} shift={prepended} onScroll={look} data={rows} bufferSize={600}>
          {(row) => <MessageRow key={row.message.key} row={row} />}
        </Virtualizer>
        {rows.length === 0 && !loading && !error && (
          <div className="empty">
            <Icon name="chat" />
            <p>No messages yet.</p>
            <p>Say hello to {friend}: it is stored before it is acknowledged.</p>
          </div>
        )}
      </div>
      <p className="loader" role="status" hidden={!loading}>
        {rows.length === 0 ? 'Loading messages…' : 'Loading older messages…'}
      </p>
      {error && (
        <p className="loader" role="alert">
          Older messages did not come ({error.code}).{' '}
          <button type="button" className="link" onClick={() => void loadOlder()}>
            Try again
          </button>
        </p>
      )}
      {!atEnd && (
        <button type="button" className="to-end" onClick={toEnd}>
          <Icon name="down" />
          {fresh > 0 ? `${fresh} new` : <span className="visually-hidden">Go to the newest message</span>}
        </button>
      )}
      <Announcer chat={chat} />
    </div>
  )
}

/** The newest message that somebody else wrote. */
function lastOfOthers(messages: readonly ChatMessage[]): ChatMessage | undefined {
  for (let index = messages.length - 1; index >= 0; index--) if (!messages[index]!.own) return messages[index]
  return undefined
}

/** Marks as read what is at the end of a page that somebody sees. */
function useRead(atEnd: boolean, seq: number | undefined, markRead: Messages['markRead']): void {
  useEffect(() => {
    const read = () => {
      if (atEnd && seq !== undefined && document.visibilityState === 'visible') markRead(seq).catch(() => {})
    }
    read()
    document.addEventListener('visibilitychange', read)
    return () => document.removeEventListener('visibilitychange', read)
  }, [atEnd, seq, markRead])
}

/** Tells screen readers what comes, and not what scrolling brings into view. */
function Announcer({ chat: { messages, loading } }: { chat: Messages }) {
  const last = lastOfOthers(messages)
  const [said, setSaid] = useState<{ from: number; text: string }>()
  useEffect(() => {
    if (loading || last?.seq === undefined) return
    const { seq, from, content } = last
    setSaid((before) => {
      if (before === undefined) return { from: seq, text: '' }
      return seq > before.from ? { from: seq, text: `${nameOf(from)}: ${content}` } : before
    })
  }, [last, loading])
  return (
    <p className="visually-hidden" aria-live="polite">
      {said?.text}
    </p>
  )
}
