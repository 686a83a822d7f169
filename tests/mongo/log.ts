import type { Entry, Store } from '@kithwire/server'

/** The whole log of a conversation. */
export async function readLog(store: Store, conversation: string): Promise<Entry[]> {
  const entries: Entry[] = []
  for (;;) {
    const page = await store.read(conversation, { after: entries.length, limit: 200 })
    if (page.length === 0) return entries
    entries.push(...page)
  }
}
