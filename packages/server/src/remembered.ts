import type { Runtime } from '@kithwire/protocol'
import { LRUCache } from 'lru-cache'

const MOST_REMEMBERED = 20_000

/** Answers of the app that are remembered for `ms`, at most 20,000 of them. */
export const remembered = <T extends NonNullable<unknown>>(
  runtime: Pick<Runtime, 'monotonic'>,
  ms: number,
): LRUCache<string, T> =>
  new LRUCache({
    // Not `max`, which allocates for that many at once.
    maxSize: MOST_REMEMBERED,
    sizeCalculation: () => 1,
    ttl: ms,
    ttlResolution: 0,
    // It takes a start at 0 for "no ttl".
    perf: { now: () => runtime.monotonic() + 1 },
  })
