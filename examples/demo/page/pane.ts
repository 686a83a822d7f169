import { WsRequest } from '@kithwire/client'
import { signIn } from './session'
import { Transcript } from './transcript'

const NAMES: Record<string, string> = { ann: 'Ann', ben: 'Ben', cyd: 'Cyd' }
const nameOf = (user: string) => NAMES[user] ?? user

/** One person's window: their own sign-in, client and transcript. */
export async function openPane(user: string, host: HTMLElement): Promise<void> {
  const template = document.querySelector('#pane') as HTMLTemplateElement
  const pane = (template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement
  const find = <T extends Element>(selector: string) => pane.querySelector(selector) as T
  host.append(pane)
  pane.setAttribute('aria-label', `${nameOf(user)}'s window`)
  find('h2').textContent = nameOf(user)
  find('.avatar').textContent = nameOf(user)[0] ?? '?'
  const form = find<HTMLFormElement>('form')
  const input = find<HTMLInputElement>('input')

  const session = await signIn(user)
  const [friend] = await session.friends()
  const state = find<HTMLElement>('.state')
  if (friend === undefined) {
    state.textContent = 'No friends yet'
    form.remove()
    return
  }
  const conversation = friend.id
  input.placeholder = `Message to ${nameOf(friend.user)}`
  input.setAttribute('aria-label', input.placeholder)

  const transcript = new Transcript(find('.log'), user)
  const chat = new WsRequest(`${location.origin.replace(/^http/, 'ws')}/chat/ws`, { token: session.token })

  chat.on('state', (now) => {
    pane.dataset.state = now
    state.textContent = now === 'online' ? 'Online' : now === 'stopped' ? 'Not connected' : 'Connecting…'
  })
  chat.on('marks', ({ conversation: where, marks }) => {
    if (where !== conversation) return
    for (const [, delivered, read] of marks) transcript.mark(delivered, read)
  })
  const typing = find<HTMLElement>('.typing')
  chat.on('signal', (signal) => {
    if (signal.conversation !== conversation || signal.kind !== 'typing') return
    typing.textContent = signal.value ? `${nameOf(friend.user)} is typing…` : ''
  })
  chat.onMessage((message) => {
    transcript.add(message)
    if (message.from !== user) {
      typing.textContent = ''
      if (document.visibilityState === 'visible') void chat.markRead(conversation, message.seq)
    }
  })
  // A page starts where the conversation stands; what was before is history.
  for (const message of (await chat.history(conversation, { limit: 100 })).items) transcript.add(message)

  let typed = false
  const setTyping = (now: boolean) => {
    if (now !== typed) chat.typing(conversation, now)
    typed = now
  }
  input.addEventListener('input', () => setTyping(input.value !== ''))
  input.addEventListener('blur', () => setTyping(false))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const content = input.value.trim()
    if (content === '') return
    input.value = ''
    setTyping(false)
    const cid = crypto.randomUUID()
    transcript.queue(cid, content)
    chat.send({ conversation, content, cid }).catch(() => transcript.fail(cid))
  })
}
