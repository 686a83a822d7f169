import type { ConnectionPhase, KithwireError } from '@kithwire/client'
import type { Source } from './chat-model.js'
import { listen, type Observable, observable } from './observable.js'

/** What the connection is doing. */
export interface Connection {
  readonly phase: ConnectionPhase
  readonly online: boolean
  /** Who this is, as soon as the server has said so. */
  readonly user: string | undefined
  /** The close code that led here; 0 where none did. */
  readonly code: number
  readonly reason: string
  /** The last refusal; gone with the next connection. */
  readonly error: KithwireError | undefined
}

const IDLE: Connection = { phase: 'idle', online: false, user: undefined, code: 0, reason: '', error: undefined }

export function connectionOf({ client, runtime }: Source): Observable<Connection> {
  return observable(runtime, IDLE, (set) => {
    const chat = client()
    let value = IDLE
    const now = (change: Partial<Connection>) => {
      const { state: phase, user } = chat
      value = { ...value, ...change, phase, user, online: phase === 'online' }
      set(value)
    }
    const off = listen(chat, {
      state: (phase, { code, reason }) => {
        now({ code, reason, ...(phase === 'online' && { error: undefined }) })
        if (phase === 'online')
          chat.connected().then(
            () => now({}),
            () => {},
          )
      },
      error: (error) => now({ error }),
    })
    now({})
    return off
  })
}
