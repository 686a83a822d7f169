import { setTimeout as delay } from 'node:timers/promises'

/** Nothing that a server or an outage does takes so long, on any machine. */
const HANG_MS = 120_000

export class Hang extends Error {}

/** Rejects with a `Hang` if `work` does not end. */
export async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  const watch = new AbortController()
  const late = delay(HANG_MS, undefined, { signal: watch.signal }).then(() => {
    throw new Hang(`${what} did not end within ${HANG_MS / 1_000} s.`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([work, late])
  } finally {
    watch.abort()
  }
}
