import type { Store } from '../store.js'

type Hook = {
  [K in keyof Store]?: Store[K] extends (...args: infer A) => Promise<unknown> ? (...args: A) => unknown : never
}

/** A store in front of which a test can hold, fail or watch calls: each hook is awaited before the call goes on. */
export class StoreWrap {
  before: Hook = {}
  /** Awaited after a call that succeeded; a rejection makes the call reject all the same. */
  after: Hook = {}

  readonly wrap = (store: Store): Store =>
    new Proxy(store, {
      get: (target, name: keyof Store) => {
        const value = target[name]
        if (typeof value !== 'function') return value
        return async (...args: never[]) => {
          await (this.before[name] as ((...args: never[]) => unknown) | undefined)?.(...args)
          const result = await (value as unknown as (...args: never[]) => Promise<unknown>).apply(target, args)
          await (this.after[name] as ((...args: never[]) => unknown) | undefined)?.(...args)
          return result
        }
      },
    })
}

/** A promise that a test resolves. */
export function gate(): { opened: Promise<void>; open(): void } {
  let open!: () => void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
