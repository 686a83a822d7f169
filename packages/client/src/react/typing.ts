import type { Source } from './chat-model.js'
import { listen, type Observable, observable } from './observable.js'

const NOBODY: readonly string[] = []

/** The users who are typing in a conversation. */
export function typingIn({ client, runtime }: Source, conversation: string): Observable<readonly string[]> {
  return observable(runtime, NOBODY, (set) => {
    let users = NOBODY
    const change = (next: readonly string[]) => {
      users = next.length > 0 ? next : NOBODY
      set(users)
    }
    const off = listen(client(), {
      typing: ({ conversation: where, user, on }) => {
        const others = users.filter((other) => other !== user)
        if (where === conversation) change(on ? [...others, user] : others)
      },
    })
    return () => {
      off()
      change(NOBODY)
    }
  })
}

/** Whether a user is there, or anybody else in a conversation. */
export function presenceOf({ client, runtime }: Source, userOrConversation: string): Observable<boolean> {
  return observable(runtime, false, (set) => {
    const chat = client()
    const look = () => set(chat.presence(userOrConversation))
    const off = listen(chat, { presence: look, state: look })
    look()
    return () => {
      off()
      set(false)
    }
  })
}
