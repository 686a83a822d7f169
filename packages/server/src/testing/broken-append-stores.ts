import type { SendItem } from '@kithwire/protocol'
import type { Entry, Outcome, Range, Send } from '../store.js'
import { MemoryStore } from '../stores/memory.js'

/** Stores with one fault each in what they append. What each does wrong is its name. */

export const scope = (conversation: string, from: string, cid: string) => JSON.stringify([conversation, from, cid])

export const mapItems = (sends: readonly Send[], change: (item: SendItem, send: Send) => SendItem): Send[] =>
  sends.map((send) => ({ ...send, items: send.items.map((item) => change(item, send)) }))

export class ForgetsIdempotency extends MemoryStore {
  #calls = 0
  override append(sends: readonly Send[]): Promise<Outcome[]> {
    this.#calls++
    return super.append(mapItems(sends, (item) => ({ ...item, cid: `${item.cid}-${this.#calls}` })))
  }
}

/** As with a cache of recent cids, or one that lives for some minutes. */
export class RemembersTheLastThousand extends MemoryStore {
  readonly #recent = new Set<string>()
  readonly #old = new Set<string>()
  override append(sends: readonly Send[]): Promise<Outcome[]> {
    const renamed = mapItems(sends, (item, { conversation, from }) => {
      const key = scope(conversation, from, item.cid)
      if (this.#old.has(key)) return { ...item, cid: `${item.cid}-again` }
      this.#recent.add(key)
      for (const oldest of this.#recent) {
        if (this.#recent.size <= 1_000) break
        this.#recent.delete(oldest)
        this.#old.add(oldest)
      }
      return item
    })
    return super.append(renamed)
  }
}

export class ForgetsWhoseCidItIs extends MemoryStore {
  readonly #owner = new Map<string, string>()
  override append(sends: readonly Send[]): Promise<Outcome[]> {
    const owned = sends.map((send) => {
      const key = JSON.stringify([send.conversation, send.items[0]?.cid])
      const from = this.#owner.get(key) ?? send.from
      this.#owner.set(key, from)
      return { ...send, from }
    })
    return super.append(owned)
  }
}

/** As under a collation that ignores case. */
export class IgnoresCase extends MemoryStore {
  override append(sends: readonly Send[]): Promise<Outcome[]> {
    return super.append(mapItems(sends, (item) => ({ ...item, cid: item.cid.toLowerCase() })))
  }
}

export class LosesNul extends MemoryStore {
  override append(sends: readonly Send[]): Promise<Outcome[]> {
    return super.append(mapItems(sends, (item) => ({ ...item, content: item.content.split('\u0000')[0]! })))
  }
}

export class ReordersTheItems extends MemoryStore {
  override append(sends: readonly Send[]): Promise<Outcome[]> {
    return super.append(sends.map((send) => ({ ...send, items: [...send.items].reverse() })))
  }
}

export class ReordersTheSends extends MemoryStore {
  override async append(sends: readonly Send[]): Promise<Outcome[]> {
    return (await super.append([...sends].reverse())).reverse()
  }
}

/** "Increment a counter, then insert": for a while the entry behind is there and the one before is not. */
export class CountsBeforeItInserts extends MemoryStore {
  readonly #late = new Set<string>()
  override async append(sends: readonly Send[]): Promise<Outcome[]> {
    const outcomes = await super.append(sends)
    const ids = outcomes.flatMap(({ stored }) => stored.filter(({ seq }) => seq % 2 === 1).map(({ id }) => id))
    for (const id of ids) this.#late.add(id)
    for (let turn = 0; turn < 10; turn++) await undefined
    for (const id of ids) this.#late.delete(id)
    return outcomes
  }
  override async read(conversation: string, range: Range): Promise<Entry[]> {
    return (await super.read(conversation, range)).filter(({ id }) => !this.#late.has(id))
  }
}

export class UsesUpASeqForAConflict extends MemoryStore {
  override async append(sends: readonly Send[]): Promise<Outcome[]> {
    const outcomes = await super.append(sends)
    for (const [index, { refused }] of outcomes.entries()) {
      const { conversation } = sends[index]!
      if (refused)
        await super.append([{ conversation, from: '', items: [{ cid: 'burnt', type: 'text', content: '' }] }])
    }
    return outcomes
  }
}

export class GoesOnBehindARefusal extends MemoryStore {
  override async append(sends: readonly Send[]): Promise<Outcome[]> {
    const outcomes = await super.append(sends)
    for (const [index, { refused }] of outcomes.entries())
      if (refused) await this.append([{ ...sends[index]!, items: sends[index]!.items.slice(refused.index + 1) }])
    return outcomes
  }
}

export class RefusesTheWholeCallForAConflict extends MemoryStore {
  override async append(sends: readonly Send[]): Promise<Outcome[]> {
    const outcomes = await super.append(sends)
    const first = outcomes.findIndex(({ refused }) => refused)
    if (first < 0) return outcomes
    return outcomes.map((outcome, index) =>
      index > first ? { stored: [], refused: { index: 0, code: 'cid_conflict' } } : outcome,
    )
  }
}

/** Tells what became of the original for the items from a refusal on, as if they were retries. */
async function accept(store: MemoryStore, { conversation, from, items }: Send, outcome: Outcome): Promise<void> {
  const rest = items.slice(outcome.refused!.index).map(({ cid }) => cid)
  const found = await store.find(conversation, from, rest)
  outcome.stored.push(...found.filter((one) => one !== undefined))
  delete outcome.refused
}

export class AcceptsConflicts extends MemoryStore {
  override async append(sends: readonly Send[]): Promise<Outcome[]> {
    const outcomes = await super.append(sends)
    for (const [index, outcome] of outcomes.entries()) if (outcome.refused) await accept(this, sends[index]!, outcome)
    return outcomes
  }
}

export class AcceptsConflictsWithWhatItBlanked extends MemoryStore {
  readonly #blanked = new Set<string>()
  override async retain(conversation: string, first: number): Promise<void> {
    this.#blanked.add(conversation)
    await super.retain(conversation, first)
  }
  override async append(sends: readonly Send[]): Promise<Outcome[]> {
    const outcomes = await super.append(sends)
    for (const [index, outcome] of outcomes.entries())
      if (outcome.refused && this.#blanked.has(sends[index]!.conversation)) await accept(this, sends[index]!, outcome)
    return outcomes
  }
}

export class ComparesContentAlone extends MemoryStore {
  readonly #first = new Map<string, SendItem>()
  override append(sends: readonly Send[]): Promise<Outcome[]> {
    const compared = mapItems(sends, (item, { conversation, from }) => {
      const key = scope(conversation, from, item.cid)
      const first = this.#first.get(key) ?? item
      this.#first.set(key, first)
      return first.content === item.content ? first : item
    })
    return super.append(compared)
  }
}
