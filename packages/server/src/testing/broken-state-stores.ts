import type { CountRange, Entry, Head, Mark, Outcome, Range, Send } from '../store.js'
import { MemoryStore } from '../stores/memory.js'
import { mapItems, scope } from './broken-append-stores.js'

/** Stores with one fault each in what they tell. What each does wrong is its name. */

export class ShowsHeadsAheadOfTheLog extends MemoryStore {
  override async append(sends: readonly Send[]): Promise<Outcome[]> {
    for (const { conversation, items } of sends)
      this.#coming.set(conversation, (this.#coming.get(conversation) ?? 0) + items.length)
    await undefined
    const outcomes = await super.append(sends)
    for (const { conversation } of sends) this.#coming.delete(conversation)
    return outcomes
  }
  override async heads(conversations: readonly string[]): Promise<Head[]> {
    const heads = await super.heads(conversations)
    return heads.map((head) => ({ ...head, head: head.head + (this.#coming.get(head.conversation) ?? 0) }))
  }
  readonly #coming = new Map<string, number>()
}

export class CutsTailsFromTheFront extends MemoryStore {
  override async heads(conversations: readonly string[]): Promise<Head[]> {
    const heads = await super.heads(conversations)
    for (const head of heads) {
      const [last] = await this.read(head.conversation, { after: head.head - 1, limit: 1 })
      head.tail = last?.id.slice(0, 8) ?? ''
    }
    return heads
  }
}

export class ReadsAfterInclusively extends MemoryStore {
  override read(conversation: string, range: Range): Promise<Entry[]> {
    return super.read(conversation, 'after' in range ? { ...range, after: Math.max(0, range.after - 1) } : range)
  }
}

export class ReadsTheOldestBefore extends MemoryStore {
  override async read(conversation: string, range: Range): Promise<Entry[]> {
    if ('after' in range) return super.read(conversation, range)
    const all = await super.read(conversation, { ...range, limit: Number.MAX_SAFE_INTEGER })
    return all.slice(0, range.limit)
  }
}

export class TakesMarksBack extends MemoryStore {
  readonly #last = new Map<string, Mark>()
  override async mark(marks: readonly Mark[]): Promise<Mark[]> {
    for (const mark of marks) this.#last.set(scope(mark.conversation, mark.user, ''), mark)
    await super.mark(marks)
    return [...marks]
  }
  override async marks(conversations: readonly string[]): Promise<Mark[]> {
    return (await super.marks(conversations)).map(
      ({ conversation, user }) => this.#last.get(scope(conversation, user, ''))!,
    )
  }
}

export class CountsOwnEntriesToo extends MemoryStore {
  override count(ranges: readonly CountRange[]): Promise<number[]> {
    return super.count(ranges.map((range) => ({ ...range, except: '' })))
  }
}

export class CountsEverythingInBetween extends MemoryStore {
  override async count(ranges: readonly CountRange[]): Promise<number[]> {
    const heads = await this.heads(ranges.map(({ conversation }) => conversation))
    return ranges.map(({ after, to }, index) => Math.max(0, Math.min(to, heads[index]!.head) - after))
  }
}

export class KeepsSetBackWhatWasReadFurther extends MemoryStore {
  readonly #seen = new Map<string, number>()
  override async mark(marks: readonly Mark[]): Promise<Mark[]> {
    const kept = marks.map((mark) => {
      const key = scope(mark.conversation, mark.user, '')
      const seen = mark.seen ?? this.#seen.get(key)
      if (seen !== undefined) this.#seen.set(key, seen)
      return seen === undefined ? mark : { ...mark, seen }
    })
    return super.mark(kept)
  }
}

export class ForgetsWhatWasSetBack extends MemoryStore {
  override mark(marks: readonly Mark[]): Promise<Mark[]> {
    return super.mark(marks.map(({ seen: _, ...mark }) => mark))
  }
}

export class ForgetsCidsWithTheirContent extends MemoryStore {
  readonly #first = new Map<string, number>()
  override async retain(conversation: string, first: number): Promise<void> {
    this.#first.set(conversation, first)
    await super.retain(conversation, first)
  }
  override async append(sends: readonly Send[]): Promise<Outcome[]> {
    for (const { conversation, from, items } of sends) {
      const found = await this.find(
        conversation,
        from,
        items.map(({ cid }) => cid),
      )
      const below = found.some((one) => one && one.seq < (this.#first.get(conversation) ?? 1))
      if (below) return super.append(mapItems(sends, (item) => ({ ...item, cid: `${item.cid}-new` })))
    }
    return super.append(sends)
  }
}

export class IgnoresRetention extends MemoryStore {
  override async retain(): Promise<void> {}
}

export class HasANewEpochEachTime extends MemoryStore {
  #asked = 0
  override async epoch(): Promise<string> {
    return `epoch${++this.#asked}`
  }
}

export class HasOneEpochForAll extends MemoryStore {
  override async epoch(): Promise<string> {
    return 'epoch'
  }
}

export class PutsWithoutComparing extends MemoryStore {
  constructor() {
    super()
    const { friendships } = this
    const put = friendships.put.bind(friendships)
    friendships.put = async (row) => put(row, (await friendships.get(row.id))?.version)
  }
}

export class MakesASecondRowOfAPair extends MemoryStore {
  constructor() {
    super()
    const { friendships } = this
    const put = friendships.put.bind(friendships)
    friendships.put = async (row, expected) => (await put(row, expected)) || expected === undefined
  }
}

export class SaysThatItIsDurable extends MemoryStore {
  override readonly durable: boolean = true
}
