import type { Mark, Store } from './store.js'

interface Waiting {
  marks: readonly Mark[]
  resolve(merged: Mark[]): void
  reject(cause: unknown): void
}

/** Group commit for delivered and read marks: while one merge is under way, the next ones gather. */
export class MarkQueue {
  private waiting: Waiting[] = []
  private busy = false

  constructor(private readonly store: Pick<Store, 'mark'>) {}

  get size(): number {
    return this.waiting.length + (this.busy ? 1 : 0)
  }

  /** Resolves with the merged marks, in the same order. Rejects as the store does. */
  merge(marks: readonly Mark[]): Promise<Mark[]> {
    if (marks.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      this.waiting.push({ marks, resolve, reject })
      if (!this.busy) void this.flush()
    })
  }

  private async flush(): Promise<void> {
    this.busy = true
    while (this.waiting.length > 0) {
      const group = this.waiting
      this.waiting = []
      try {
        const merged = await this.store.mark(group.flatMap(({ marks }) => marks))
        let start = 0
        for (const { marks, resolve } of group) {
          resolve(merged.slice(start, start + marks.length))
          start += marks.length
        }
      } catch (cause) {
        for (const { reject } of group) reject(cause)
      }
    }
    this.busy = false
  }
}
