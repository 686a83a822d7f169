import type { IMessage, WsRequest } from '@kithwire/client'
import type { Source } from './chat-model.js'
import { later, listen, type Observable, observable, settled } from './observable.js'

/** One line of a list of conversations. */
export interface Conversation {
  /** Its id, which for two friends is that of their friendship. */
  readonly conversation: string
  /** Messages of others that this user has not read. */
  readonly unread: number
  /** The newest entry. Absent if there is none, or as long as it is not known. */
  readonly last: IMessage | undefined
}

/** Newest entries that a device which has none is told by the server; beyond that many, as they arrive. */
const ASKED = 200

/** The conversations of a client, that with the newest entry first. */
export function conversationsOf({ client, runtime }: Source): Observable<readonly Conversation[]> {
  const last = new Map<string, IMessage>()
  let list: readonly Conversation[] = []

  function start(chat: WsRequest, set: (value: readonly Conversation[]) => void): () => void {
    const asked = new Set<string>()
    let unlisten: (() => void) | undefined
    let live = true
    const take = (entry: IMessage) => {
      const old = last.get(entry.conversation)
      if (!old || entry.seq > old.seq) last.set(entry.conversation, entry)
      publish()
    }
    const publish = later(runtime, () => void refresh().catch(() => {}))

    async function refresh(): Promise<void> {
      const states = await chat.conversations()
      if (!live) return
      const after = Object.fromEntries(
        states.map((state) => [state.conversation, Math.max(state.base, state.applied - 1)]),
      )
      unlisten ??= chat.onMessage(take, { after })
      const old = new Map(list.map((row) => [row.conversation, row]))
      const rows = states.map(({ conversation, unread }) => {
        const row = old.get(conversation)
        const newest = last.get(conversation)
        return row?.unread === unread && row.last === newest ? row : { conversation, unread, last: newest }
      })
      rows.sort((a, b) => (b.last?.createdAt ?? 0) - (a.last?.createdAt ?? 0))
      list = settled(list, rows)
      set(list)
      for (const { conversation, applied } of states)
        if (applied > 0 && !last.has(conversation) && asked.size < ASKED && !asked.has(conversation)) {
          asked.add(conversation)
          const { items } = await chat.history(conversation, { limit: 1 })
          if (!live) return
          items.forEach(take)
        }
    }
    const off = listen(chat, {
      unread: publish,
      behind: publish,
      state: (phase) => {
        if (phase === 'online') chat.connected().then(publish, () => {})
      },
      reset: ({ conversation, to }) => {
        const newest = last.get(conversation)
        if (newest && newest.seq > to) last.delete(conversation)
        asked.delete(conversation)
        publish()
      },
    })
    publish()
    return () => {
      live = false
      off()
      unlisten?.()
    }
  }

  return observable<readonly Conversation[]>(runtime, list, (set) => start(client(), set))
}
