import type { Runtime } from '@kithwire/protocol'
import type { Mark, Outcome, Send } from '../store.js'
import { type CallName, type Calls, type Port, sameThread } from './sqlite-calls.js'
import type { Database } from './sqlite-database.js'

/** Ms that a commit may take on a disk that is fast enough, and as many more for each entry or mark in it. */
const QUICK_MS = 2
const QUICK_MS_EACH = 0.02
/** By so many do slow commits outnumber quick ones once the disk counts as slow. */
const MOST_SLOW = 16
/** Ms of one call after which nothing else is waited for, not even the lock of another process. */
export const STALL_MS = 250

/**
 * The database on the thread of the server for as long as it answers at once, which saves the way to another one; when
 * it does not, on a thread of its own, and for good. Here every call runs to its end before it returns, so that there is
 * nothing under way to be moved.
 */
export class AdaptivePort implements Port {
  #port: Port
  #slow = 0
  #moved = false
  /** Resolves when the first connection was closed. */
  #left: Promise<void> | undefined

  constructor(
    private readonly database: Database,
    private readonly runtime: Pick<Runtime, 'monotonic'>,
    /** @throws where there can be none: a bundler has left its file out */
    private readonly startThread: () => Port,
  ) {
    this.#port = sameThread(database)
  }

  get gather(): Port['gather'] {
    return this.#port.gather
  }

  call<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>> {
    const marks = name === 'mark' ? (args[0] as readonly Mark[]).length : undefined
    return this.#watch(() => this.#port.call(name, ...args), marks)
  }

  append(sends: readonly Send[], at: number): Promise<Outcome[]> {
    const entries = sends.reduce((sum, { items }) => sum + items.length, 0)
    return this.#watch(() => this.#port.append(sends, at), entries)
  }

  async close(): Promise<void> {
    await this.#left
    await this.#port.close()
  }

  /** @param written entries or marks, if it is a commit */
  #watch<T>(work: () => T, written: number | undefined): T {
    // A thread of its own may take its time, and the first call opens the file and may have to bring it up to date.
    if (this.#moved || this.database.generation === 0) return work()
    const start = this.runtime.monotonic()
    const result = work()
    const took = this.runtime.monotonic() - start
    if (written !== undefined) {
      const quick = took <= QUICK_MS + QUICK_MS_EACH * written
      this.#slow = quick ? Math.max(0, this.#slow - 1) : this.#slow + 1
    }
    if (this.#slow >= MOST_SLOW || took >= STALL_MS) this.#move()
    return result
  }

  #move(): void {
    this.#moved = true
    const here = this.#port
    try {
      this.#port = this.startThread()
    } catch {
      // It stays where it is, as with `thread: false`.
      return
    }
    // Not before the other one has opened the file: to close the last connection writes back the whole WAL.
    this.#left = this.#port
      .call('epoch')
      .catch(() => {})
      .then(() => here.close())
  }
}
