import { useLayoutEffect, useRef, useSyncExternalStore } from 'react'
import { clockOf } from './times'
import type { Wire } from './wire'

const ARROWS = { in: '↓', out: '↑', note: '·' } as const
const WAYS = { in: 'received', out: 'sent', note: '' } as const

/** The frames of one pane as they pass; each opens to show all of it. */
export function FramesPanel({ wire, name }: { wire: Wire; name: string }) {
  const frames = useSyncExternalStore(wire.subscribe, wire.getFrames)
  const list = useRef<HTMLOListElement>(null)
  const atEnd = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a frame came.
  useLayoutEffect(() => {
    const { current } = list
    if (current && atEnd.current) current.scrollTop = current.scrollHeight
  }, [frames])
  return (
    <section className="frames" aria-label={`Frames of ${name}`}>
      <h3 className="section">Frames</h3>
      <ol
        ref={list}
        tabIndex={0}
        aria-label={`Frames of ${name}, oldest first`}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight < 40
        }}
      >
        {frames.map(({ id, at, way, type, text }) => (
          <li key={id} data-way={way}>
            {way === 'note' ? (
              <span className="frame-note">{text}</span>
            ) : (
              <details>
                <summary>
                  <span className="way" aria-hidden="true">
                    {ARROWS[way]}
                  </span>
                  <span className="visually-hidden">{WAYS[way]}</span> <b>{type}</b>{' '}
                  <time dateTime={new Date(at).toISOString()}>{clockOf(at)}</time>{' '}
                  <span className="frame-text">{text}</span>
                </summary>
                <pre>{pretty(text)}</pre>
              </details>
            )}
          </li>
        ))}
      </ol>
    </section>
  )
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
