import type { Store } from '../store.js'
import { type Runner, suite } from './conformance.js'
import { appendCases } from './store-append-cases.js'
import type { StoreBench } from './store-bench.js'
import { friendshipCases } from './store-friendship-cases.js'
import { instancesCases } from './store-instances-cases.js'
import { readCases } from './store-read-cases.js'
import { stateCases } from './store-state-cases.js'
import { unreadCases } from './store-unread-cases.js'

export interface StoreConformanceOptions extends Runner {
  /** Of the store, for the report. */
  name: string
  /** Opens a store without data. Each case opens its own; the suite closes it. */
  open(): Promise<Store>
  /** Opens the data of `store`, which the suite has closed, again. Needed for every store that is durable. */
  reopen?(store: Store): Promise<Store>
  /** Opens another instance on the data of `store`, which stays open. Without it the group `two instances` is skipped. */
  second?(store: Store): Promise<Store>
  /** The name of a case or of a group → why it does not apply to this store. */
  skip?: { readonly [caseOrGroup: string]: string }
}

const cases = [...appendCases, ...readCases, ...stateCases, ...unreadCases, ...friendshipCases, ...instancesCases]

/**
 * Checks that a store keeps the invariants that `Store` lists. Works with every test runner that has `describe` and
 * `it`; a failed case throws an Error that says what was expected and what came.
 *
 * A case makes up to 300 commits, so on a disk that takes 20 ms for each give the runner a timeout of a minute.
 *
 * What it cannot check is invariant 1 under a crash of the process or of the machine: kill the process in the middle
 * of a write and open the data again.
 */
export function storeConformance(options: StoreConformanceOptions): void {
  const { describe, it, name, open, reopen, second } = options
  const skip = second ? options.skip : { 'two instances': '`second` was not given', ...options.skip }
  const prepare = () => {
    const opened: Store[] = []
    const kept = async (made: Promise<Store>) => {
      opened.push(await made)
      return made
    }
    const bench: StoreBench = { open: () => kept(open()) }
    if (second) bench.second = (store) => kept(second(store))
    if (reopen)
      bench.reopen = async (store) => {
        await store.close()
        return kept(reopen(store))
      }
    const cleanUp = async () => {
      for (const store of opened.reverse()) await store.close()
    }
    return { bench, cleanUp }
  }
  suite({ describe, it, name, cases, prepare, ...(skip && { skip }) })
}
