import type { Timer } from '@kithwire/protocol'
import type { Source } from './chat-model.js'
import { listen, type Observable, observable } from './observable.js'

/** Ms after which somebody who was typing, and of whom nothing more was heard, is not. */
const TYPED = 8_000

const NOBODY: readonly string[] = []

/** The users who are typing in a conversation. */
export function typingIn({ client, runtime }: Source, conversation: string): Observable<readonly string[]> {
  return observable(runtime, NOBODY, (set) => {
    const timers = new Map<string, Timer>()
    const change = (user: string, on: boolean) => {
      const was = timers.has(user)
      runtime.clearTimer(timers.get(user))
      timers.delete(user)
      if (on)
        timers.set(
          user,
          runtime.setTimer(() => change(user, false), TYPED),
        )
      if (was !== on) set(timers.size > 0 ? [...timers.keys()] : NOBODY)
    }
    const off = listen(client(), {
      signal: (signal) => {
        if (signal.conversation === conversation && signal.kind === 'typing') change(signal.user, signal.value)
      },
      message: (message) => {
        if (message.conversation === conversation) change(message.from, false)
      },
    })
    return () => {
      off()
      for (const user of timers.keys()) change(user, false)
    }
  })
}
