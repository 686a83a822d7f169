import type { Outcome, Send, Stored } from '../store.js'
import type { Content } from './fingerprint.js'
import type { NewEntry } from './mongo-entry.js'

/** What is known of a cid that is in the log. */
export interface Known {
  stored: Stored
  isRetry(item: Content): boolean
}

/** An item that is not in the log yet, as far as is known. */
export interface Step {
  /** Of sender and cid. */
  key: string
  entry: NewEntry
}

/** One send on its way: its items in order, and what became of those that are settled. */
export class Job {
  readonly done: Promise<Outcome>
  readonly #steps: readonly Step[]
  readonly #stored: Stored[] = []
  #isDone = false
  #resolve!: (outcome: Outcome) => void
  #reject!: (error: unknown) => void

  constructor({ from, items }: Send, to: string | undefined, makeId: () => string, at: number) {
    this.#steps = items.map((item) => ({
      key: `${item.cid.length} ${item.cid}${from}`,
      entry: { id: makeId(), at, from, to, item },
    }))
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Items that nothing is known of yet. */
  rest(): readonly Step[] {
    return this.#isDone ? [] : this.#steps.slice(this.#stored.length)
  }

  /** Settles, in order, the items whose cids are known to be in the log. */
  settle(known: ReadonlyMap<string, Known>): void {
    while (!this.#isDone) {
      const step = this.#steps[this.#stored.length]
      const found = step && known.get(step.key)
      if (step === undefined) this.#finish({ stored: this.#stored })
      else if (found === undefined) return
      else if (!found.isRetry(step.entry.item)) this.refuse('cid_conflict')
      // Its own entry is none, though it took more than one try to learn of it.
      else this.#stored.push({ ...found.stored, duplicate: found.stored.id !== step.entry.id })
    }
  }

  refuse(code: 'busy' | 'cid_conflict'): void {
    if (!this.#isDone) this.#finish({ stored: this.#stored, refused: { index: this.#stored.length, code } })
  }

  reject(error: unknown): void {
    this.#isDone = true
    this.#reject(error)
  }

  #finish(outcome: Outcome): void {
    this.#isDone = true
    this.#resolve(outcome)
  }
}
