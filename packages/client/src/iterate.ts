import type { IMessage } from '@kithwire/protocol'
import type { AbortSignalLike } from './abort.js'
import type { MessageListener } from './subscriptions.js'

/**
 * The entries that a listener would get, as an async iterator. The next entry is read only when the consumer asks for
 * it, so a slow one holds nothing up and nothing is buffered.
 */
export function iterate(
  listen: (run: MessageListener) => () => void,
  ended: (end: () => void) => () => void,
  signal: AbortSignalLike | undefined,
): AsyncIterableIterator<IMessage> {
  type Result = IteratorResult<IMessage, undefined>
  const done: Result = { done: true, value: undefined }
  const asked: ((result: Result) => void)[] = []
  let offered: { message: IMessage; taken: () => void } | undefined
  let over = false
  const meet = () => {
    if (!offered || asked.length === 0) return
    const { message, taken } = offered
    offered = undefined
    asked.shift()!({ done: false, value: message })
    taken()
  }
  const stop = listen(
    (message) =>
      new Promise<void>((taken) => {
        offered = { message, taken }
        meet()
      }),
  )
  const end = () => {
    if (over) return
    over = true
    stop()
    unlisten()
    signal?.removeEventListener('abort', end)
    offered?.taken()
    for (const resolve of asked.splice(0)) resolve(done)
  }
  const unlisten = ended(end)
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
  return {
    next: () =>
      over
        ? Promise.resolve(done)
        : new Promise<Result>((resolve) => {
            asked.push(resolve)
            meet()
          }),
    return: () => {
      end()
      return Promise.resolve(done)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
