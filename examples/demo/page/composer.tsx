import { useSend, useTyping } from '@kithwire/client/react'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { Icon } from './icons'

/** Where a message is written. Enter sends, Shift+Enter begins a line. */
export function Composer({ conversation, friend, closed }: { conversation: string; friend: string; closed?: string }) {
  const send = useSend(conversation)
  const [, setTyping] = useTyping(conversation)
  const [text, setText] = useState('')
  const [problem, setProblem] = useState('')
  const field = useRef<HTMLTextAreaElement>(null)

  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) field.current?.focus({ preventScroll: true })
  }, [])

  function submit(): void {
    const content = text.trim()
    if (content === '') return
    setText('')
    setProblem('')
    setTyping(false)
    send(content).catch((error: { code: string; message: string }) => {
      // What never got into the outbox is given back; the rest shows its state in the list.
      if (!['too_large', 'bad_field', 'outbox_full'].includes(error.code)) return
      setText(content)
      setProblem(error.message)
    })
    field.current?.focus()
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    submit()
  }

  if (closed !== undefined) return <p className="closed">{closed}</p>
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      {problem !== '' && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="field" data-text={text}>
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          value={text}
          placeholder={`Message to ${friend}`}
          aria-label={`Message to ${friend}`}
          enterKeyHint="send"
          onChange={({ target }) => {
            setText(target.value)
            setTyping(target.value.trim() !== '')
          }}
          onKeyDown={onKeyDown}
          onBlur={() => setTyping(false)}
        />
      </div>
      <button type="submit" className="send" disabled={text.trim() === ''} aria-label="Send">
        <Icon name="send" />
      </button>
    </form>
  )
}
