import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { report, size } from '../support/report.js'
import { bundle, fuzz } from './child.js'
import { HANG_MS, type Outcome } from './tally.js'

/** Inputs in all. 10 million at night. */
const FUZZ = size('FUZZ', 200_000)
/** One seed for CI, so that a failure there is one of the change. */
const SEED = size('SEED', 1)
/** To see one input again: `SEED=1 KIND=codec INPUT=123`. */
const { KIND, INPUT } = process.env

/** Shares of the whole, by what one of them costs. */
const KINDS: [kind: string, share: number, what: string][] = [
  ['codec', 0.78, 'texts are read or refused, and nothing else'],
  ['sessions', 0.07, 'frames to a whole server get one documented answer each'],
  ['clients', 0.05, 'frames to a client make it report, and nothing else'],
  ['frames', 0.06, 'frames over TCP end in a documented close at the worst'],
  ['handshakes', 0.04, 'handshakes over TCP get a documented status or none'],
]

/** Heap that may stay behind, of what was there after a third of the inputs; below 1 MiB it is the compiler's. */
const GROWTH = 0.05
const NOISE = 1 << 20

describe(`${FUZZ} inputs by grammar and mutation, seed ${SEED}`, () => {
  const outcomes: Outcome[] = []
  const start = performance.now()
  beforeAll(bundle)
  afterAll(() => report(summary(outcomes, start)))

  const kinds = KINDS.filter(([kind]) => KIND === undefined || kind === KIND)
  it.each(kinds)('%s', { timeout: 120_000 + FUZZ }, async (kind, share) => {
    const only = INPUT === undefined ? {} : { only: Number(INPUT) }
    const outcome = await fuzz(kind, { seed: SEED, inputs: Math.ceil(FUZZ * share), ...only })
    outcomes.push(outcome)
    const { inputs, counts, violations, hangs, slowest, heap } = outcome
    const [before, after] = heap.map((bytes) => Math.round(bytes / 1024))
    console.log(`${kind}: ${inputs} inputs, slowest ${Math.round(slowest)} ms, heap ${before} → ${after} KB`, counts)
    for (const { index, what, input } of violations)
      console.log(`SEED=${SEED} KIND=${kind} INPUT=${index}: ${what}\n  ${input}`)
    expect(violations.map(({ what }) => what)).toEqual([])
    expect(hangs, `inputs that take more than ${HANG_MS} ms`).toBe(0)
    if (INPUT !== undefined) return
    expect(inputs).toBeGreaterThanOrEqual(FUZZ * share)
    expect(heap[1] - heap[0]).toBeLessThan(Math.max(NOISE, heap[0] * GROWTH))
  })
})

function summary(outcomes: readonly Outcome[], start: number) {
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0)
  const details = outcomes.map(({ kind, inputs, counts, violations, hangs, slowest, heap }) => [
    kind,
    { inputs, violations: violations.length, hangs, maxMs: Math.round(slowest), maxHeapBytes: heap[1], counts },
  ])
  return {
    name: 'fuzz',
    runs: sum(({ inputs }) => inputs),
    violations: sum(({ violations }) => violations.length),
    hangs: sum(({ hangs }) => hangs),
    seconds: Math.round((performance.now() - start) / 1_000),
    details: Object.fromEntries(details),
  }
}
