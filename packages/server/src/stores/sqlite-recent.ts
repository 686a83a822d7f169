import type { Database } from './sqlite-database.js'
import type { SqlRow } from './sqlite-driver.js'
import type { Span } from './sqlite-span.js'

/** Entries that are found here before they are put into `place`, which takes about 1 µs for each. */
const MOST = 4_096

const PLACED = "SELECT value FROM store WHERE key = 'placed'"
const SET_PLACED = "UPDATE store SET value = ? WHERE key = 'placed'"
const SINCE = 'SELECT pos, conversation, seq FROM entry WHERE pos >= ? ORDER BY pos'
const PLACE = `
  INSERT INTO place SELECT conversation, seq, pos FROM entry WHERE pos > ? AND pos <= ? ORDER BY conversation, seq`

/** The latest entries of a conversation: the positions of `first` and of all after it. */
interface Run {
  first: number
  positions: number[]
}

/**
 * The entries that are in the log and not yet in `place`. An index by conversation makes a page of the file dirty for
 * nearly every entry, a third to a half of what an append costs; put there by thousands, the entries share pages. What
 * is not yet there is read from the end of the log once, and then kept up with it.
 */
export class Recent {
  readonly #runs = new Map<number, Run>()
  #size = 0
  /** Of `place`, and of what this knows. */
  #placed = 0
  #last = 0
  #dataVersion: unknown
  /** Of the connection; 0 if nothing is known, as that of an open one never is. */
  #generation = 0

  constructor(private readonly database: Database) {}

  /**
   * Brings it up to what others have committed. First in each transaction.
   *
   * @returns whether another process may have written anything
   */
  refresh(): boolean {
    const version = this.database.statement('PRAGMA data_version').get()?.data_version
    const { generation } = this.database
    if (version === this.#dataVersion && generation === this.#generation) return false
    const placed = Number(this.database.statement(PLACED).get()!.value)
    if (placed !== this.#placed || generation !== this.#generation) this.#restart(placed)
    let rows = this.#since()
    // The last one that was known is there again, unless an operator has taken entries away.
    if (this.#last > placed && Number(rows.shift()?.pos) !== this.#last) {
      this.#restart(placed)
      rows = this.#since()
    }
    for (const { pos, conversation, seq } of rows) this.add(Number(conversation), Number(seq), Number(pos))
    this.#dataVersion = version
    this.#generation = generation
    return true
  }

  /** The head of a conversation, if its last entry is one of these. */
  headOf(conversation: number): number | undefined {
    const run = this.#runs.get(conversation)
    return run && run.first + run.positions.length - 1
  }

  span(conversation: number, from: number, to: number): Span {
    const run = this.#runs.get(conversation)
    if (run === undefined || to < run.first) return { conversation, from, to, recent: [] }
    const recent = run.positions.slice(Math.max(0, from - run.first), to - run.first + 1)
    return { conversation, from, to: run.first - 1, recent }
  }

  /** Takes in an entry of this transaction, the next of its conversation. */
  add(conversation: number, seq: number, pos: number): void {
    const run = this.#runs.get(conversation)
    if (run === undefined) this.#runs.set(conversation, { first: seq, positions: [pos] })
    else run.positions.push(pos)
    this.#size++
    this.#last = pos
  }

  /**
   * Puts them into `place` if there are many, in this write transaction.
   *
   * @param placed told the head of each conversation that they are of, which is not known here from then on
   */
  placeIfMany(placed: (conversation: number, head: number) => void): void {
    if (this.#size < MOST) return
    for (const conversation of this.#runs.keys()) placed(conversation, this.headOf(conversation)!)
    this.database.statement(PLACE).run(this.#placed, this.#last)
    this.database.statement(SET_PLACED).run(this.#last)
    this.#restart(this.#last)
  }

  /** After a transaction was undone. */
  forget(): void {
    this.#generation = 0
  }

  /** From the last one that is known, or without it where that is in `place`. */
  #since(): SqlRow[] {
    return this.database.statement(SINCE).all(this.#last > this.#placed ? this.#last : this.#placed + 1)
  }

  #restart(placed: number): void {
    this.#runs.clear()
    this.#size = 0
    this.#placed = placed
    this.#last = placed
  }
}
