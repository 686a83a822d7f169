import type { Entry, FriendshipRow, Mark, Outcome, Send, Stored } from '../../packages/server/src/store.js'

/** One thing that the journal of the store says. A crash keeps a prefix of them. */
export type JournalRecord =
  | { kind: 'entry'; entry: Entry }
  | { kind: 'mark'; mark: Mark }
  | { kind: 'retain'; conversation: string; first: number }
  | { kind: 'row'; row: FriendshipRow }

const SEPARATOR = '\u0000'
const contentOf = (item: { type: string; content: string; ref?: unknown; meta?: unknown }) =>
  JSON.stringify([item.type, item.content, item.ref ?? null, item.meta ?? null])

/** The fold of a journal. The store has two: one with everything written, one with what is durable. */
export class Disk {
  readonly logs = new Map<string, Entry[]>()
  readonly rows = new Map<string, FriendshipRow>()
  private readonly cids = new Map<string, { entry: Entry; content: string }>()
  private readonly firsts = new Map<string, number>()
  private readonly userMarks = new Map<string, Mark>()

  log(conversation: string): readonly Entry[] {
    return this.logs.get(conversation) ?? []
  }

  first(conversation: string): number {
    return this.firsts.get(conversation) ?? 1
  }

  apply(record: JournalRecord): void {
    switch (record.kind) {
      case 'entry':
        this.addEntry(record.entry)
        return
      case 'mark':
        this.userMarks.set(record.mark.conversation + SEPARATOR + record.mark.user, record.mark)
        return
      case 'retain':
        this.firsts.set(record.conversation, record.first)
        return
      case 'row':
        this.rows.set(record.row.id, record.row)
    }
  }

  /** Works out what an append does, and which records say so, without doing it. */
  plan(send: Send, make: (seq: number) => { id: string; at: number }, write: (record: JournalRecord) => void): Outcome {
    const stored: Stored[] = []
    for (const [index, item] of send.items.entries()) {
      const known = this.cids.get(send.conversation + SEPARATOR + send.from + SEPARATOR + item.cid)
      if (known !== undefined) {
        if (known.content !== contentOf(item)) return { stored, refused: { index, code: 'cid_conflict' } }
        stored.push({ seq: known.entry.seq, id: known.entry.id, at: known.entry.createdAt, duplicate: true })
        continue
      }
      const seq = this.log(send.conversation).length + 1
      const { id, at } = make(seq)
      const { conversation, from } = send
      const { cid, type, content } = item
      const entry: Entry = { id, conversation, seq, from, cid, type, content, createdAt: at }
      if (item.ref) entry.ref = item.ref
      if (item.meta) entry.meta = item.meta
      write({ kind: 'entry', entry })
      stored.push({ seq, id, at, duplicate: false })
    }
    return { stored }
  }

  find(conversation: string, from: string, cid: string): Stored | undefined {
    const known = this.cids.get(conversation + SEPARATOR + from + SEPARATOR + cid)
    return known && { seq: known.entry.seq, id: known.entry.id, at: known.entry.createdAt, duplicate: true }
  }

  mark(conversation: string, user: string): Mark {
    return this.userMarks.get(conversation + SEPARATOR + user) ?? { conversation, user, delivered: 0, read: 0 }
  }

  marks(conversations: readonly string[]): Mark[] {
    const wanted = new Set(conversations)
    return [...this.userMarks.values()].filter((mark) => wanted.has(mark.conversation))
  }

  clone(): Disk {
    const copy = new Disk()
    for (const [conversation, log] of this.logs) copy.logs.set(conversation, [...log])
    for (const [id, row] of this.rows) copy.rows.set(id, row)
    for (const [key, known] of this.cids) copy.cids.set(key, known)
    for (const [key, first] of this.firsts) copy.firsts.set(key, first)
    for (const [key, mark] of this.userMarks) copy.userMarks.set(key, mark)
    return copy
  }

  private addEntry(entry: Entry): void {
    const log = this.logs.get(entry.conversation)
    if (log) log.push(entry)
    else this.logs.set(entry.conversation, [entry])
    const key = entry.conversation + SEPARATOR + entry.from + SEPARATOR + entry.cid
    this.cids.set(key, { entry, content: contentOf(entry) })
  }
}
