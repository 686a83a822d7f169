import { expect, it } from 'vitest'
import { runOne } from './run.js'
import { shrink } from './shrink.js'

/** A taste; `npm run simulate` runs as many as you like on all cores, and `npm test` 20,000. */
const SEEDS = 200

it(`${SEEDS} seeds: nothing lost, nothing doubled, nothing reordered`, { timeout: 120_000 }, async () => {
  const faults = new Set<string>()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await runOne(seed, { explain: false })
    expect(result.violations, `npm run simulate -- --seed ${seed} --explain`).toEqual([])
    for (const fault of Object.keys(result.faults)) faults.add(fault)
  }
  // A simulation in which nothing breaks proves nothing.
  expect(faults.size).toBeGreaterThan(15)
})

it('replays a seed exactly, a hundred times', { timeout: 60_000 }, async () => {
  const hashes = new Set<string>()
  for (let again = 0; again < 100; again++) hashes.add((await runOne(4_711, { explain: false })).hash)
  expect(hashes.size).toBe(1)
})

it('leaves out what a violation does not need', { timeout: 60_000 }, async () => {
  const whole = await runOne(11, { explain: false })
  // As if each of a run's first faults broke something: a violation that one fault is enough for.
  const failing = { ...whole, violations: ['none'] }
  const { faults, doings } = await shrink(failing)
  expect([faults.size, doings.size]).toEqual([0, 0])
  const without = { faults: new Set([0, 1]), doings: new Set([1]) }
  const less = await runOne(11, { explain: false, without })
  expect(less.hash).not.toBe(whole.hash)
  expect(less.violations).toEqual([])
})

it('replays seeds exactly, whether it explains them or not', { timeout: 60_000 }, async () => {
  const hashes = new Set<string>()
  for (const seed of [7, 1_007, 4_711, 99_991]) {
    const one = await runOne(seed, { explain: true })
    const other = await runOne(seed, { explain: false })
    expect(other.hash).toBe(one.hash)
    expect(one.lines.length).toBe(other.events)
    hashes.add(one.hash)
  }
  expect(hashes.size).toBe(4)
})
