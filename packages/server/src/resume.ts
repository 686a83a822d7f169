import { type CursorTuple, type IMessage, PROTOCOL_LIMITS } from '@kithwire/protocol'
import type { OwnHead } from './heads.js'
import { fit, type Reset, resetTo, takeTail } from './pages.js'
import { type Store, toMessage } from './store.js'

/** Pages that a hello may lead to before the device has to ask. */
const MOST_PAGES = 2
/** Conversations that are looked into for them. */
const MOST_READS = 32

/** What the cursors of a hello lead to. */
export interface Resume {
  resets: { conversation: string; reset: Reset }[]
  /** What the device lacks, the beginning of it. */
  missing: IMessage[][]
  /** Cursors that the log confirms: the device has got so far. */
  confirmed: { conversation: string; seq: number }[]
}

/** Compares the cursors of a device with the log. Cursors of conversations that are not the user's are ignored. */
export async function readResume(
  store: Store,
  heads: readonly OwnHead[],
  cursors: readonly CursorTuple[],
): Promise<Resume> {
  const resume: Resume = { resets: [], missing: [], confirmed: [] }
  const own = new Map(heads.map((head) => [head.tuple[0], head]))
  const budget = { items: MOST_PAGES * PROTOCOL_LIMITS.page, pages: MOST_PAGES, reads: MOST_READS }
  for (const [conversation, seq, tail] of new Map(cursors.map((cursor) => [cursor[0], cursor])).values()) {
    const known = own.get(conversation)
    if (known === undefined) continue
    const [, head, , , , , , headTail] = known.tuple
    if (seq > head) resume.resets.push({ conversation, reset: await resetTo(store, conversation, head) })
    else if (seq < head) await readMissing(store, known, seq, tail, budget, resume)
    else if (seq > 0 && tail !== '' && tail !== headTail)
      resume.resets.push({ conversation, reset: await resetTo(store, conversation, seq - 1) })
    else resume.confirmed.push({ conversation, seq })
  }
  return resume
}

interface Budget {
  items: number
  pages: number
  reads: number
}

async function readMissing(
  store: Store,
  { tuple, members }: OwnHead,
  seq: number,
  tail: string,
  budget: Budget,
  resume: Resume,
): Promise<void> {
  const [conversation, head] = tuple
  for (let applied = seq; applied < head && budget.reads > 0 && budget.pages > 0 && budget.items > 0; ) {
    budget.reads--
    const limit = Math.min(PROTOCOL_LIMITS.page, budget.items)
    // The entry at the cursor is read with the first page, to be compared.
    const verify = applied === seq && seq > 0
    const entries = await store.read(
      conversation,
      verify ? { after: seq - 1, limit: limit + 1 } : { after: applied, limit },
    )
    if (verify) {
      const known = await takeTail(store, conversation, seq, entries)
      if (tail !== '' && known !== tail) {
        resume.resets.push({ conversation, reset: await resetTo(store, conversation, seq - 1) })
        return
      }
      resume.confirmed.push({ conversation, seq })
    }
    const page = fit(entries, 'front')
    if (page[0]?.seq !== applied + 1) return
    resume.missing.push(page.map((entry) => toMessage(entry, members)))
    applied += page.length
    budget.items -= page.length
    // What was cut by its size is a whole page, however few entries it has.
    if (page.length < entries.length || page.length === PROTOCOL_LIMITS.page) budget.pages--
  }
}
