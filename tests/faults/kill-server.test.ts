import { expect, it } from 'vitest'
import { report, size } from '../support/report.js'
import { killServers } from './kills.js'

const KILLS = size('KILLS', 50)
const SEED = size('SEED', 1)

it(
  `${KILLS} kills of the server under load lose nothing, double nothing, reorder nothing`,
  async () => {
    const [summary, wrong] = await killServers(KILLS, SEED)
    report(summary)
    const { restarts: _, ...details } = summary.details ?? {}
    console.log(`${summary.runs} kills in ${summary.seconds.toFixed(0)} s: ${JSON.stringify(details)}`)
    expect(wrong.slice(0, 20)).toEqual([])
  },
  600_000 + KILLS * 5_000,
)

it('a store that answers before it commits is found out by kills', async () => {
  const [, wrong] = await killServers(6, 1, 'early')
  expect(wrong.filter((text) => text.startsWith('I1 ')).length).toBeGreaterThan(0)
}, 300_000)
