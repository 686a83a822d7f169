import { type ReactNode, useRef } from 'react'
import { Icon } from './icons'

/** A button that opens a few actions; Escape, or a choice, closes it and gives the focus back. */
export function Menu({ label, children }: { label: string; children: ReactNode }) {
  const details = useRef<HTMLDetailsElement>(null)
  const summary = useRef<HTMLElement>(null)
  const close = () => {
    if (!details.current?.open) return
    details.current.open = false
    summary.current?.focus()
  }
  return (
    <details
      className="menu"
      ref={details}
      onKeyDown={({ key }) => key === 'Escape' && close()}
      onBlur={({ relatedTarget, currentTarget }) => {
        if (relatedTarget instanceof Node && !currentTarget.contains(relatedTarget)) currentTarget.open = false
      }}
    >
      <summary ref={summary} className="tool" aria-label={label} title={label}>
        <Icon name="more" />
      </summary>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: a click that a key makes is one, too. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the buttons within are what is used. */}
      <div className="menu-items" onClick={close}>
        {children}
      </div>
    </details>
  )
}
