import type { ClientEvents, WsRequest } from '@kithwire/client'
import type { Runtime } from '@kithwire/protocol'

/** A value that is watched, in the form in which `useSyncExternalStore` takes it. */
export interface Observable<T> {
  /** The same reference as long as nothing has changed. */
  get(): T
  /** What a server renders, and what a page shows before anything is known. */
  empty(): T
  subscribe(run: () => void): () => void
}

/**
 * A value that `feed` keeps up to date as long as somebody watches.
 *
 * @param feed starts, and returns a function that stops. Whoever leaves and comes back within one turn, as every effect
 *   under StrictMode does, starts nothing again.
 */
export function observable<T>(
  runtime: Runtime,
  empty: T,
  feed: (set: (value: T) => void) => () => void,
): Observable<T> {
  const watchers = new Set<() => void>()
  let value = empty
  let stop: (() => void) | undefined
  const set = (next: T) => {
    if (Object.is(value, next)) return
    value = next
    for (const watch of [...watchers]) watch()
  }
  return {
    get: () => value,
    empty: () => empty,
    subscribe(run) {
      const watch = () => run()
      watchers.add(watch)
      stop ??= feed(set)
      return () => {
        watchers.delete(watch)
        runtime.setTimer(() => {
          if (watchers.size > 0) return
          stop?.()
          stop = undefined
        }, 0)
      }
    },
  }
}

type Handlers = { [Name in keyof ClientEvents]?: (...values: ClientEvents[Name]) => void }

/** Listens to events of a client until the function it returns is called. */
export function listen(chat: WsRequest, handlers: Handlers): () => void {
  const entries = Object.entries(handlers) as [keyof ClientEvents, () => void][]
  for (const [name, run] of entries) chat.on(name, run)
  return () => {
    for (const [name, run] of entries) chat.off(name, run)
  }
}

/** Runs `run` once in a later turn, however often it is asked for in this one. */
export function later(runtime: Runtime, run: () => void): () => void {
  let due = false
  return () => {
    if (due) return
    due = true
    runtime.setTimer(() => {
      due = false
      run()
    }, 0)
  }
}

/** The old list if it holds the same, so that whoever compares references sees no change. */
export const settled = <T>(old: readonly T[], next: readonly T[]): readonly T[] =>
  old.length === next.length && old.every((each, index) => each === next[index]) ? old : next
