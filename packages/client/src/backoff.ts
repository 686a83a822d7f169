/** Ms: the window of the first retry, and the widest one. */
const FIRST = 500
const WIDEST = 20_000

/**
 * How long to wait before try number `tries` (0 for the first retry): full jitter, random(0, min(20 s, 500 ms · 2^n)),
 * after "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). A server's `bounds` raise it, never lower it.
 */
export function backoff(random: () => number, tries: number, bounds?: readonly [min: number, max: number]): number {
  const own = random() * Math.min(WIDEST, FIRST * 2 ** Math.min(tries, 16))
  return bounds ? Math.max(own, between(random, bounds)) : own
}

/** Uniform in [min, max). */
export function between(random: () => number, [min, max]: readonly [min: number, max: number]): number {
  return min + random() * (max - min)
}
