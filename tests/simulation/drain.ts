import { setFlagsFromString } from 'node:v8'

/**
 * Runs every promise continuation that is ready, to the last one, without leaving the macrotask.
 *
 * A turn of the event loop per simulated event (setImmediate) costs more than the event itself, so V8 is asked for a
 * microtask checkpoint directly. That does nothing inside a microtask: a run must start in a macrotask and stay
 * synchronous. `provenDrain` checks that it works here before anybody relies on it.
 */
export type Drain = () => void

function checkpoint(): Drain | undefined {
  try {
    // For good: the flag is the process's, and another thread may be doing the same.
    setFlagsFromString('--allow-natives-syntax')
    return new Function('%PerformMicrotaskCheckpoint()') as Drain
  } catch {
    return undefined
  }
}

const drain = checkpoint()

/** The drain, having just drained a chain of promises; throws where the engine has none. */
export function provenDrain(length = 20): Drain {
  let links = 0
  const chain = async () => {
    for (let link = 0; link < length; link++) {
      await undefined
      links++
    }
  }
  void chain()
  drain?.()
  if (drain === undefined || links !== length)
    throw new Error('Expected a microtask checkpoint of V8 in a macrotask; this engine or this caller has none.')
  return drain
}

/** Calls `run` in a macrotask of its own and answers with what it returned. */
export function inMacrotask<T>(run: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(run())
      } catch (error) {
        reject(error)
      }
    })
  })
}
