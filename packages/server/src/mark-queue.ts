import type { Mark, Store } from './store.js'

/** What became of a mark that a device has told. */
export interface Told {
  merged: Mark
  /** Of the conversation, before. */
  head: number
}

interface Waiting {
  marks: readonly Mark[]
  /** A device's word, which may be beyond the head: so that is asked for. */
  told: boolean
  /** Without marks if they were beyond the head. */
  resolve(merged: readonly Mark[] | undefined, head: number): void
  reject(cause: unknown): void
}

/** Group commit for delivered and read marks: while one merge is under way, the next ones gather. */
export class MarkQueue {
  private waiting: Waiting[] = []
  private busy = false

  constructor(private readonly store: Pick<Store, 'mark' | 'heads' | 'gather'>) {}

  get size(): number {
    return this.waiting.length + (this.busy ? 1 : 0)
  }

  /** Resolves with the merged marks, in the same order. Rejects as the store does. */
  merge(marks: readonly Mark[]): Promise<readonly Mark[]> {
    if (marks.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      this.add({ marks, told: false, resolve: (merged) => resolve(merged!), reject })
    })
  }

  /** Merges what a device tells; undefined if that is beyond the head. Rejects as the store does. */
  tell(mark: Mark): Promise<Told | undefined> {
    return new Promise((resolve, reject) => {
      const answer: Waiting['resolve'] = (merged, head) => resolve(merged && { merged: merged[0]!, head })
      this.add({ marks: [mark], told: true, resolve: answer, reject })
    })
  }

  private add(waiting: Waiting): void {
    this.waiting.push(waiting)
    if (this.busy) return
    this.busy = true
    const { store } = this
    if (store.gather) store.gather(() => void this.flush())
    else void this.flush()
  }

  private async flush(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting
      this.waiting = []
      try {
        await this.mergeAll(group)
      } catch (cause) {
        for (const { reject } of group) reject(cause)
      }
    }
    this.busy = false
  }

  /** All of them by two calls of the store, since each is a way to another thread or machine and back. */
  private async mergeAll(group: readonly Waiting[]): Promise<void> {
    const conversations = group.flatMap(({ told, marks }) => (told ? marks.map((mark) => mark.conversation) : []))
    const heads = conversations.length > 0 ? await this.store.heads([...new Set(conversations)]) : []
    const headOf = new Map(heads.map(({ conversation, head }) => [conversation, head]))
    const within = group.filter(({ told, marks, resolve }) => {
      const [{ conversation, delivered, seen = 0 }] = marks as [Mark]
      const head = headOf.get(conversation) ?? 0
      if (!told || Math.max(delivered, seen) <= head) return true
      resolve(undefined, head)
      return false
    })
    if (within.length === 0) return
    const merged = await this.store.mark(within.flatMap(({ marks }) => marks))
    let start = 0
    for (const { marks, resolve } of within) {
      resolve(merged.slice(start, start + marks.length), headOf.get(marks[0]!.conversation) ?? 0)
      start += marks.length
    }
  }
}
