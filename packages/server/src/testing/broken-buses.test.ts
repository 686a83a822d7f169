import { describe, expect, it } from 'vitest'
import { LocalBus } from '../buses/local.js'
import { brokenBus, brokenBuses } from './broken-buses.js'
import { busConformance } from './bus-conformance.js'

busConformance({
  describe,
  it,
  name: 'LocalBus',
  quietMs: 1,
  start: async () => {
    const bus = new LocalBus()
    return { connect: async () => bus.connect() }
  },
})

it.each(brokenBuses.map((broken) => [broken.open.name, broken] as const))('finds a bus that %s', async (_, broken) => {
  const cases: [string, () => Promise<void>][] = []
  busConformance({
    describe: (_name, body) => body(),
    it: (name, body) => void cases.push([name, body]),
    name: 'broken',
    longestMs: 50,
    quietMs: 1,
    start: async () => brokenBus(broken.open),
  })
  const run = cases.find(([name]) => name === broken.caught)?.[1]
  await expect(run?.()).rejects.toThrow()
})
