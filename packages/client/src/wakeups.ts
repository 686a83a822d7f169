/** Why a client should look at its connection now. */
export type Wakeup = 'online' | 'visible'

/** Events of the platform after which timers cannot be trusted: the device slept, or its network came back. */
export interface Wakeups {
  /** Calls `wake` at each event until the function it returns is called. */
  listen(wake: (why: Wakeup) => void): () => void
}

/** For platforms without such events. */
export const noWakeups: Wakeups = { listen: () => () => {} }

interface Target {
  addEventListener?(type: string, run: () => void): void
  removeEventListener?(type: string, run: () => void): void
}

/** `online`, `pageshow`, `resume` and `visibilitychange` of a page; nothing where there is no page. */
export const pageWakeups: Wakeups = {
  listen(wake) {
    const page = globalThis as Target & { document?: Target & { visibilityState?: string } }
    const online = () => wake('online')
    const shown = () => {
      if (page.document?.visibilityState !== 'hidden') wake('visible')
    }
    const pairs: [Target | undefined, string, () => void][] = [
      [page, 'online', online],
      [page, 'pageshow', shown],
      [page.document, 'visibilitychange', shown],
      [page.document, 'resume', shown],
    ]
    for (const [target, type, run] of pairs) target?.addEventListener?.(type, run)
    return () => {
      for (const [target, type, run] of pairs) target?.removeEventListener?.(type, run)
    }
  },
}
