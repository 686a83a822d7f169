import { newCid, type Runtime } from '@kithwire/protocol'
import type { Document, Session } from '../mongo-driver.js'
import { numbered, type OldRow, type Rows } from './rows.js'

const MAJORITY = { w: 'majority', j: true, wtimeout: 30_000 }
/** Transactions that are tried before a batch is numbered row by row. */
const MOST_TRIES = 3
/** Tries for one row: each means that somebody else stored a message in the conversation just then. */
const MOST_ROW_TRIES = 50
/** Conversations that are numbered at once where rows go one by one. */
const AT_ONCE = 32
const PAUSE_MS = 20

type Heads = Map<string, number>

/**
 * Gives rows the next seqs of their conversations, such that at every instant the seqs of a conversation are 1, 2, 3 …
 * without a gap, whoever else writes, deletes or migrates at the same time, and wherever the process ends.
 */
export class Numbering {
  /** The head of the last conversation, from which the next batch may go on. */
  private last: { conversation: string; head: number } | undefined

  constructor(
    private readonly rows: Rows,
    /** Undefined for a standalone server, which has no transactions. */
    private readonly session: Session | undefined,
    private readonly runtime: Runtime,
  ) {}

  /**
   * @param batch in the order of conversations, and of each in the order of its seqs
   * @returns how many rows got a number; the others have been deleted or numbered by somebody else
   */
  async apply(batch: readonly OldRow[]): Promise<number> {
    let rows = batch
    for (let tries = 0; this.session && tries < MOST_TRIES && rows.length > 0; tries++) {
      const heads = await this.heads(rows, tries === 0 ? this.last : undefined)
      if (await this.inTransaction(this.session, rows, heads)) {
        const { conversation } = rows.at(-1)!
        this.last = { conversation, head: heads.get(conversation)! }
        return rows.length
      }
      await this.pause()
      rows = await this.remaining(rows)
    }
    this.last = undefined
    return this.oneByOne(rows)
  }

  /** All or nothing; false if somebody else changed a row or took a seq. Moves `heads` on. */
  private async inTransaction(session: Session, rows: readonly OldRow[], heads: Heads): Promise<boolean> {
    const operations = rows.map((row) => {
      const seq = (heads.get(row.conversation) ?? 0) + 1
      heads.set(row.conversation, seq)
      return { updateOne: this.update(row, seq) }
    })
    try {
      session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: MAJORITY })
      const { matchedCount } = await this.rows.collection.bulkWrite(operations, { session, ordered: true })
      if (matchedCount === rows.length) await commit(session)
      else await session.abortTransaction()
      return matchedCount === rows.length
    } catch (error) {
      await session.abortTransaction().catch(() => {})
      if (isConflict(error)) return false
      throw error
    }
  }

  /** Several conversations at once, in each a row after the one before it. */
  private async oneByOne(rows: readonly OldRow[]): Promise<number> {
    const queues = new Map<string, OldRow[]>()
    for (const row of rows) {
      const queue = queues.get(row.conversation)
      if (queue) queue.push(row)
      else queues.set(row.conversation, [row])
    }
    const waiting = [...queues.values()]
    let done = 0
    const work = async () => {
      for (let queue = waiting.pop(); queue !== undefined; queue = waiting.pop()) {
        let head = await this.head(queue[0]!)
        for (const row of queue) {
          const seq = await this.one(row, head)
          if (seq === undefined) continue
          head = seq
          done++
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, work))
    return done
  }

  /** The seq that a row got, or undefined if there is nothing to number any more. */
  private async one(row: OldRow, head: number): Promise<number | undefined> {
    let [known, cid] = [head, row.cid]
    for (let tries = 0; tries < MOST_ROW_TRIES; tries++) {
      try {
        const { filter, update } = this.update({ ...row, cid }, known + 1)
        // Standalone, the journal is written in order: what a crash takes is rows that are numbered again.
        const writeConcern = this.session ? MAJORITY : { w: 1 }
        const { matchedCount } = await this.rows.collection.updateOne(filter, update, { writeConcern })
        return matchedCount === 1 ? known + 1 : undefined
      } catch (error) {
        if (!isConflict(error)) throw error
        if (cid !== undefined && String((error as Error).message).includes(this.rows.names.cid))
          cid = newCid(this.runtime)
        await this.pause()
        known = await this.head(row)
      }
    }
    throw new Error(`${row.conversation} is written to all the time; run this again when it is quiet.`)
  }

  private update(row: OldRow, seq: number): { filter: Document; update: Document } {
    const { names } = this.rows
    const fields: Document = { [names.seq]: seq }
    if (row.cid !== undefined) fields[names.cid] = row.cid
    if (!row.timed) fields[names.createdAt] = row.at
    return { filter: { _id: row.id, [names.seq]: null }, update: { $set: fields } }
  }

  private async head(row: OldRow): Promise<number> {
    return (await this.heads([row])).get(row.conversation) ?? 0
  }

  /** The durable heads of the conversations of these rows. @throws if a conversation has a gap */
  private async heads(rows: readonly OldRow[], known?: { conversation: string; head: number }): Promise<Heads> {
    const heads: Heads = new Map(known === undefined ? [] : [[known.conversation, known.head]])
    const friends = new Map<string, unknown>()
    for (const { conversation, friend } of rows) if (!heads.has(conversation)) friends.set(conversation, friend)
    if (friends.size === 0) return heads
    const { collection, names } = this.rows
    const found = await collection
      .aggregate(
        [
          { $match: { ...numbered(this.rows), [names.conversation]: { $in: [...friends.values()] } } },
          { $group: { _id: `$${names.conversation}`, head: { $max: `$${names.seq}` }, count: { $sum: 1 } } },
        ],
        { readConcern: { level: 'majority' } },
      )
      .toArray()
    for (const { _id, head, count } of found) {
      if (head !== count)
        throw new Error(
          `The conversation ${_id} has ${count} numbered rows and ends at ${head}. Is \`${names.seq}\` a field of your own? Then say --fields seq=… and use that name for Kithwire.`,
        )
      heads.set(String(_id), Number(head))
    }
    return heads
  }

  /** Those of the rows that are still there without a number, in their order. */
  private async remaining(rows: readonly OldRow[]): Promise<OldRow[]> {
    const filter = { _id: { $in: rows.map(({ id }) => id) }, [this.rows.names.seq]: null }
    const found = await this.rows.collection.find(filter, { projection: { _id: 1 } }).toArray()
    const ids = new Set(found.map(({ _id }) => String(_id)))
    return rows.filter(({ id }) => ids.has(String(id)))
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      this.runtime.setTimer(resolve, this.runtime.random() * PAUSE_MS)
    })
  }
}

/** Commits, and asks again where the answer was lost: a commit that is repeated changes nothing. */
async function commit(session: Session): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await session.commitTransaction()
      return
    } catch (error) {
      if (tries === 5 || !hasLabel(error, 'UnknownTransactionCommitResult')) throw error
    }
  }
}

const hasLabel = (error: unknown, label: string): boolean =>
  (error as { hasErrorLabel?(label: string): boolean }).hasErrorLabel?.(label) === true

/** Somebody else wrote the same row, seq or cid. */
const isConflict = (error: unknown): boolean =>
  (error as { code?: unknown }).code === 11000 || hasLabel(error, 'TransientTransactionError')
