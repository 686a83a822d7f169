import { availableParallelism } from 'node:os'
import { expect, it } from 'vitest'
import { summarize } from '../support/report.js'
import { cutAll } from './crew.js'
import type { Outcome } from './plan.js'

const EVERY = Number(process.env.CUT_EVERY ?? 16)
const FROM = Number(process.env.CUT_FROM ?? 0)
const TO = Number(process.env.CUT_TO ?? 1e9)
const PROCESSES = Number(process.env.CUT_PROCESSES ?? Math.min(4, availableParallelism()))

const where = ({ cut, violations, hang }: Outcome) =>
  `${cut.mode} after byte ${cut.byte} ${cut.direction === 'toServer' ? 'to the server' : 'to the client'}: ${hang ?? violations.join('; ')}`

it(`a connection that is cut at every ${EVERY}th byte, in either direction and any way, costs nothing`, async () => {
  const begun = performance.now()
  const counts = { runs: 0, reached: 0, hangs: 0, violations: 0 }
  const wrong: string[] = []
  const size = await cutAll({ every: EVERY, from: FROM, to: TO }, PROCESSES, (outcome) => {
    counts.runs++
    if (outcome.reached) counts.reached++
    if (outcome.hang) counts.hangs++
    if (outcome.hang || outcome.violations.length > 0) counts.violations++
    if (outcome.hang || outcome.violations.length > 0) wrong.push(where(outcome))
    if (counts.runs % 10_000 === 0) console.log(`${counts.runs} cuts, at byte ${outcome.cut.byte}`)
  })
  const seconds = (performance.now() - begun) / 1_000
  summarize({
    name: 'cut at every byte',
    ...{ runs: counts.runs, violations: counts.violations, hangs: counts.hangs, seconds: Math.round(seconds) },
    details: {
      ...{ every: EVERY, from: FROM, to: Math.min(TO, Math.max(size.toServer, size.toClient)) },
      bytes: size,
      reached: counts.reached,
      processes: PROCESSES,
      runsPerSecond: Math.round(counts.runs / seconds),
      wrong: wrong.slice(0, 20),
    },
  })
  expect(wrong.slice(0, 20)).toEqual([])
  expect(counts.runs).toBeGreaterThan(0)
  // Nearly every cut came in the middle: a session may be some bytes shorter than the longest one.
  expect(counts.reached).toBeGreaterThan(counts.runs * 0.8)
}, 36_000_000)
