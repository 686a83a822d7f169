import { expect, it } from 'vitest'
import { summarize } from '../support/report.js'
import { PER_SOCKET, stopReading } from './readers.js'

const READERS = Number(process.env.READERS ?? 100)
const PAIRS = 5
const RATE = 100
const BYTES = 8_000
/** The default is 30 s; what counts is that it ends. */
const STALL_MS = Number(process.env.READERS_STALL ?? 3_000)

it(`${READERS} sockets that stop reading are let go, and cost nobody else anything but time`, async () => {
  const begun = performance.now()
  const options = { readers: READERS, pairs: PAIRS, rate: RATE, bytes: BYTES, limits: { stallMs: STALL_MS } }
  const { violations, ...found } = await stopReading(options)
  summarize({
    name: 'slow and dead readers',
    ...{
      runs: READERS,
      violations: violations.length,
      hangs: violations.filter((text) => text.startsWith('Hang')).length,
      seconds: Math.round((performance.now() - begun) / 1_000),
    },
    details: {
      ...{ readers: READERS, pairs: PAIRS, rate: RATE, bytes: BYTES, stallMs: STALL_MS, ...found },
      // A figure of this machine, whose cores also run the clients: no promise.
      healthyP99Growth: Number((found.loud.p99 / found.quiet.p99).toFixed(2)),
    },
  })
  expect(violations).toEqual([])
  // The server stopped pushing, instead of being stopped by an end of what was said.
  expect(found.stats.pushes_skipped).toBeGreaterThan(READERS)
}, 1_800_000)

it('notices a server that holds back nothing', async () => {
  const limits = { softBuffer: 1e9, hardBuffer: 1e9, stallMs: 3_000 }
  const { violations, buffered } = await stopReading({ readers: 4, pairs: 1, rate: 400, bytes: 15_000, limits })
  expect(buffered).toBeGreaterThan(PER_SOCKET)
  expect(violations.join('\n')).toContain('I12')
}, 120_000)
