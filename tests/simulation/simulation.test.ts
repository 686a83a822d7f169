import { expect, it } from 'vitest'
import { runOne } from './run.js'

/** A taste; `npm run simulate` runs as many as you like on all cores, and `npm test` 2,000. */
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

it('replays a seed exactly', { timeout: 60_000 }, async () => {
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
