import { type CursorTuple, type IMessage, PROTOCOL_LIMITS } from '@kithwire/protocol'
import type { OwnHead } from './heads.js'
import { fit, type Reset, resetTo, tailOf } from './pages.js'
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

async function readMissing(
  store: Store,
  { tuple, members }: OwnHead,
  seq: number,
  tail: string,
  budget: { items: number; pages: number; reads: number },
  resume: Resume,
): Promise<void> {
  if (budget.reads === 0 || budget.pages <= 0 || budget.items <= 0) return
  budget.reads--
  const conversation = tuple[0]
  const limit = Math.min(PROTOCOL_LIMITS.page, budget.items) + 1
  const entries = await store.read(conversation, { after: Math.max(0, seq - 1), limit })
  if (seq > 0) {
    // Retention may have taken the entry at the cursor out of reach; then the device finds the gap by `sync`.
    if (entries[0]?.seq !== seq) return
    if (tail !== '' && tailOf(entries.shift()!.id) !== tail) {
      resume.resets.push({ conversation, reset: await resetTo(store, conversation, seq - 1) })
      return
    }
    if (entries[0]?.seq === seq) entries.shift()
    resume.confirmed.push({ conversation, seq })
  }
  const page = fit(entries.slice(0, limit - 1), 'front')
  if (page[0]?.seq !== seq + 1) return
  budget.items -= page.length
  // A page cut by its size is a whole one.
  if (page.length < entries.length) budget.pages--
  resume.missing.push(page.map((entry) => toMessage(entry, members)))
}
