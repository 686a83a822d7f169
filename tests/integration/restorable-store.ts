import type { Runtime } from '@kithwire/protocol'
import { isCountable, newId } from '@kithwire/protocol'
import { type Entry, type Mark, MemoryStore, type Outcome, type Range, type Send, type Store } from '@kithwire/server'

interface Log {
  rows: Entry[]
  marks: Map<string, Mark>
}

/** The plainest store there is, of which a backup can be taken and restored: its logs are one value. */
export class RestorableStore implements Store {
  readonly durable = true
  readonly parallel = 1
  readonly friendships: Store['friendships']
  private logs = new Map<string, Log>()

  constructor(private readonly runtime: Runtime) {
    this.friendships = new MemoryStore({ runtime }).friendships
  }

  backup(): () => void {
    const copy = structuredClone(this.logs)
    return () => {
      this.logs = structuredClone(copy)
    }
  }

  async append(sends: readonly Send[]): Promise<Outcome[]> {
    return sends.map(({ conversation, from, items }) => {
      const { rows } = this.log(conversation)
      const stored = items.map((item) => {
        const old = rows.find((row) => row.cid === item.cid && row.from === from)
        const row = old ?? {
          ...item,
          id: newId(this.runtime),
          conversation,
          from,
          seq: rows.length + 1,
          createdAt: this.runtime.now(),
        }
        if (!old) rows.push(row)
        return { seq: row.seq, id: row.id, at: row.createdAt, duplicate: old !== undefined }
      })
      return { stored }
    })
  }

  async read(conversation: string, range: Range): Promise<Entry[]> {
    const { rows } = this.log(conversation)
    if ('after' in range) return rows.slice(range.after, range.after + range.limit)
    return rows.slice(0, Math.max(0, range.before - 1)).slice(-range.limit)
  }

  async count(ranges: Parameters<Store['count']>[0]) {
    return ranges.map(({ conversation, after, to, except }) => {
      const rows = this.log(conversation).rows.slice(after, to)
      return rows.filter(({ from, type }) => from !== except && isCountable(type)).length
    })
  }

  async find(conversation: string, from: string, cids: readonly string[]) {
    return cids.map((cid) => {
      const row = this.log(conversation).rows.find((each) => each.cid === cid && each.from === from)
      return row && { seq: row.seq, id: row.id, at: row.createdAt, duplicate: true }
    })
  }

  async heads(conversations: readonly string[]) {
    return conversations.map((conversation) => {
      const last = this.log(conversation).rows.at(-1)
      return { conversation, head: last?.seq ?? 0, first: 1, tail: last?.id.slice(-8) ?? '' }
    })
  }

  async tail(conversation: string, seq: number) {
    return this.log(conversation).rows[seq - 1]?.id.slice(-8) ?? ''
  }

  async marks(conversations: readonly string[]): Promise<Mark[]> {
    return conversations.flatMap((conversation) => [...this.log(conversation).marks.values()])
  }

  async mark(marks: readonly Mark[]): Promise<Mark[]> {
    return marks.map((mark) => {
      const all = this.log(mark.conversation).marks
      const old = all.get(mark.user)
      const delivered = Math.max(mark.delivered, old?.delivered ?? 0)
      const merged = { ...mark, delivered, read: Math.max(mark.read, old?.read ?? 0) }
      all.set(mark.user, merged)
      return merged
    })
  }

  async retain(): Promise<void> {}

  async epoch(): Promise<string> {
    return 'epoch'
  }

  async close(): Promise<void> {}

  private log(conversation: string): Log {
    const log = this.logs.get(conversation) ?? { rows: [], marks: new Map() }
    this.logs.set(conversation, log)
    return log
  }
}
