import { type Result, runOne, type Without } from './run.js'

/** Runs that a search may take. */
const MOST_RUNS = 1_500

/** The invariant that a violation names. */
const invariantOf = (violation: string): string => violation.split(' ')[0]!

/**
 * Leaves out of a failing run whatever it fails without: faults and doings of people, in chunks that get smaller, as
 * long as the first violated invariant stays violated. Delta debugging, after Zeller and Hildebrandt, "Simplifying and
 * Isolating Failure-Inducing Input" (2002).
 */
export async function shrink(failing: Result): Promise<Without> {
  const invariant = invariantOf(failing.violations[0]!)
  let kept = [
    ...Array.from({ length: failing.doings }, (_, index) => ({ kind: 'doings' as const, number: index + 1 })),
    ...Array.from({ length: failing.tried }, (_, index) => ({ kind: 'faults' as const, number: index })),
  ]
  const all = kept
  const without = (keep: typeof kept): Without => {
    const left = all.filter((part) => !keep.includes(part))
    const numbers = (kind: 'doings' | 'faults') =>
      new Set(left.filter((part) => part.kind === kind).map(({ number }) => number))
    return { faults: numbers('faults'), doings: numbers('doings') }
  }
  let runs = 0
  const fails = async (keep: typeof kept): Promise<boolean> => {
    runs++
    const { violations } = await runOne(failing.seed, { explain: false, without: without(keep) })
    return violations.some((violation) => invariantOf(violation) === invariant)
  }
  for (let size = kept.length >> 1; size >= 1 && runs < MOST_RUNS; ) {
    let smaller = false
    for (let start = 0; start < kept.length && runs < MOST_RUNS; ) {
      const keep = [...kept.slice(0, start), ...kept.slice(start + size)]
      if (await fails(keep)) {
        kept = keep
        smaller = true
      } else start += size
    }
    if (size === 1 && !smaller) break
    size = Math.max(1, size >> 1)
  }
  return without(kept)
}
