import type { IMessage } from '@kithwire/protocol'
import { IndexedDbOutbox } from './indexed-db-outbox.js'
import type { Work } from './indexed-db-work.js'
import type { StoreCopy } from './store-copy.js'

/** All that a database holds. */
export async function copyOf(work: Work): Promise<StoreCopy> {
  const { identity } = await work.meta()
  const rows = await work.conversations.getAll()
  const logs = new Map<string, IMessage[]>(rows.map(({ conversation }) => [conversation, []]))
  for (const entry of await work.entries.getAll()) logs.get(entry.conversation)?.push(entry)
  const [keys, records] = [await work.cids.getAllKeys(), await work.cids.getAll()]
  return {
    identity,
    conversations: rows.map(({ conversation, state }) => ({ state, log: logs.get(conversation)! })),
    outbox: await new IndexedDbOutbox(work).all(),
    places: keys.flatMap(([conversation, cid], index) => {
      const { place } = records[index]!
      return place === undefined ? [] : [[conversation, cid, place] satisfies [string, string, number]]
    }),
  }
}
