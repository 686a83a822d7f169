import type { Store } from '@kithwire/server'

/** The same store with another `append`. */
export function withAppend(store: Store, append: Store['append']): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const value = name === 'append' ? append : Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** The most turns of the event loop that a commit takes: enough for a client to lose its connection and be back first. */
const MOST_TURNS = 60

/**
 * A store that takes its time, as a disk does, each time another: a client that comes back finds its message stored,
 * or not stored yet and on its way, and must send it again.
 */
export function slowed(store: Store): Store {
  let commits = 0
  return withAppend(store, async (sends) => {
    for (let turns = (commits++ * 23) % MOST_TURNS; turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve))
    return store.append(sends)
  })
}
