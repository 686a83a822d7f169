import type { MarkTuple } from '@kithwire/protocol'
import type { Mark } from './store.js'

/** Entries that this node has been told of by others' words only, and may still get: more are not remembered. */
const MOST_LATE = 64

/** A conversation of somebody who is connected, and what everybody here has been told of it. */
interface Hot {
  members: readonly string[]
  /** Up to here every device here was pushed the entries, or told to look. */
  seq: number
  /** Seqs up to `seq` that were told and not pushed: a bare client can use the entry even late. */
  late?: Set<number>
  /** `delivered + read` of each user, as far as relayed. Only with a bus: else all marks come from here. */
  marks?: Map<string, number>
}

/**
 * How far each conversation of connected users has been told on this node, so that a look at the store shows what was
 * missed. A cache: what is not in it is told by its next entry, or by the next hello.
 */
export class HotConversations {
  /** In the order of their last entry, the oldest first. */
  private readonly known = new Map<string, Hot>()

  constructor(
    /** Conversations that are remembered; beyond them the ones that were quiet for longest are forgotten. */
    private readonly most: number,
    /** Whether other nodes write here, too. */
    private readonly shared: boolean,
    /** Called when there is a first one. */
    private readonly began: () => void,
  ) {}

  get size(): number {
    return this.known.size
  }

  get full(): boolean {
    return this.known.size >= this.most
  }

  keys(): string[] {
    return [...this.known.keys()]
  }

  seqOf(conversation: string): number | undefined {
    return this.known.get(conversation)?.seq
  }

  membersOf(conversation: string): readonly string[] {
    return this.known.get(conversation)?.members ?? []
  }

  /** A head was told to one device. What others were told stands: who has missed something is found by comparing. */
  met(conversation: string, members: readonly string[], seq: number, marks: readonly MarkTuple[]): void {
    if (this.known.has(conversation)) return
    const hot = this.add(conversation, members, seq)
    if (this.shared) hot.marks = new Map(marks.map(([user, delivered, read]) => [user, delivered + read]))
  }

  /** An entry was pushed to everybody here. */
  pushed(conversation: string, members: readonly string[], seq: number): void {
    const hot = this.known.get(conversation)
    if (hot === undefined) {
      this.add(conversation, members, seq)
      return
    }
    if (seq > hot.seq + 1) this.raise(hot, seq - 1)
    if (seq > hot.seq) hot.seq = seq
    else hot.late?.delete(seq)
    if (!this.full) return
    this.known.delete(conversation)
    this.known.set(conversation, hot)
  }

  /** Everybody here was told to look, up to `seq`. */
  told(conversation: string, seq: number): void {
    const hot = this.known.get(conversation)
    if (hot !== undefined) this.raise(hot, seq)
  }

  /** The log was found shorter than what was told: a backup was brought back while the server ran. */
  lower(conversation: string, seq: number): void {
    const hot = this.known.get(conversation)
    if (hot === undefined) return
    hot.seq = seq
    delete hot.late
  }

  /** What a hinted entry is to this node: `next` is the one to push. `new` is one of a conversation not remembered. */
  judge(conversation: string, seq: number): 'next' | 'gap' | 'late' | 'old' | 'new' {
    const hot = this.known.get(conversation)
    if (hot === undefined) return 'new'
    if (seq > hot.seq) return seq === hot.seq + 1 ? 'next' : 'gap'
    return hot.late?.has(seq) ? 'late' : 'old'
  }

  /** Marks of a user were relayed to everybody here. */
  marked({ conversation, user, delivered, read }: Readonly<Mark>): void {
    const marks = this.known.get(conversation)?.marks
    if (marks && (marks.get(user) ?? 0) < delivered + read) marks.set(user, delivered + read)
  }

  /** Whether these marks were not relayed here. */
  lacks({ conversation, user, delivered, read }: Readonly<Mark>): boolean {
    const marks = this.known.get(conversation)?.marks
    return marks !== undefined && (marks.get(user) ?? 0) < delivered + read
  }

  forget(conversation: string): void {
    this.known.delete(conversation)
  }

  clear(): void {
    this.known.clear()
  }

  private add(conversation: string, members: readonly string[], seq: number): Hot {
    if (this.full) this.known.delete(this.known.keys().next().value!)
    const hot: Hot = { members, seq }
    this.known.set(conversation, hot)
    if (this.known.size === 1) this.began()
    return hot
  }

  private raise(hot: Hot, seq: number): void {
    if (this.shared && seq > hot.seq) {
      hot.late ??= new Set()
      for (let late = Math.max(hot.seq + 1, seq - MOST_LATE + 1); late <= seq; late++) hot.late.add(late)
      for (const late of hot.late) {
        if (hot.late.size <= MOST_LATE) break
        hot.late.delete(late)
      }
    }
    hot.seq = Math.max(hot.seq, seq)
  }
}
