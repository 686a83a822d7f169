import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RUNS, RUNS_TIMEOUT } from '../../protocol/src/testing/runs.js'
import { backoff } from './backoff.js'

const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const tries = fc.oneof(fc.nat(40), fc.nat())
const bounds = fc
  .tuple(fc.nat(60_000), fc.nat(60_000))
  .map(([one, other]): readonly [number, number] => [Math.min(one, other), Math.max(one, other)])

it('waits within its window, and a window never shrinks with the tries', { timeout: RUNS_TIMEOUT }, () => {
  fc.assert(
    fc.property(draw, tries, (random, number) => {
      const wait = backoff(() => random, number)
      expect(wait).toBeGreaterThanOrEqual(0)
      expect(wait).toBeLessThanOrEqual(Math.min(20_000, 500 * 2 ** number))
      expect(backoff(() => random, number + 1)).toBeGreaterThanOrEqual(wait)
    }),
    RUNS,
  )
})

it('is raised by the bounds of a server and never lowered', { timeout: RUNS_TIMEOUT }, () => {
  fc.assert(
    fc.property(draw, tries, bounds, (random, number, [min, max]) => {
      const wait = backoff(() => random, number, [min, max])
      expect(wait).toBeGreaterThanOrEqual(min)
      expect(wait).toBeGreaterThanOrEqual(backoff(() => random, number))
      expect(wait).toBeLessThanOrEqual(Math.max(max, 20_000))
    }),
    RUNS,
  )
})
