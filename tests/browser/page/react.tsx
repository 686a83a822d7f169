import { ChatProvider, useConnection, useMessages, useSend, useUnread } from '@kithwire/client/react'
import { StrictMode, useState } from 'react'
import { createRoot, type Root } from 'react-dom/client'

/** How often each part of the page was rendered. Tests reach it as `renders` in the page. */
const renders: Record<string, number> = {}
const count = (name: string) => {
  renders[name] = (renders[name] ?? 0) + 1
}

function Messages({ conversation, name }: { conversation: string; name: string }) {
  count(name)
  const { messages, loading } = useMessages(conversation)
  const send = useSend(conversation)
  return (
    <section aria-label={name} data-loading={loading}>
      <ol>
        {messages.map(({ key, content, state }) => (
          <li key={key} data-state={state}>
            {content}
          </li>
        ))}
      </ol>
      <button type="button" onClick={() => void send(`from ${name}`)}>
        Send
      </button>
    </section>
  )
}

function Status() {
  count('status')
  const { phase, user } = useConnection()
  return (
    <p id="status">
      {phase} {user} {useUnread()}
    </p>
  )
}

function App({ conversations }: { conversations: [string, string] }) {
  const [shown, setShown] = useState(true)
  return (
    <StrictMode>
      <button type="button" onClick={() => setShown(!shown)}>
        Toggle
      </button>
      {shown && (
        <ChatProvider url={`ws://${location.host}/chat/ws`} options={{ token: 'ann' }}>
          <Status />
          <Messages conversation={conversations[0]} name="first" />
          <Messages conversation={conversations[1]} name="second" />
        </ChatProvider>
      )}
    </StrictMode>
  )
}

let root: Root | undefined
Object.assign(globalThis, {
  renders,
  show(first: string, second: string) {
    root = createRoot(document.body.appendChild(document.createElement('div')))
    root.render(<App conversations={[first, second]} />)
  },
})
