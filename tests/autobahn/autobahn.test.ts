import type { ServerLimits } from '@kithwire/server'
import { describe, expect, it } from 'vitest'
import { need } from '../support/need.js'
import { report } from '../support/report.js'
import { serveEcho } from './echo.js'
import { findKosoku, KOSOKU, runCases } from './kosoku.js'

const range = (prefix: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${prefix}.${from + index}`)

/** Messages beyond 64 KiB: closed 1009, or 1008 where the number of their fragments is noticed first. */
const LARGE = [
  ...[...range('9.1', 2, 6), ...range('9.2', 2, 6), ...range('9.3', 1, 9), ...range('9.4', 1, 9)],
  ...[...range('9.5', 1, 6), ...range('9.6', 1, 6)],
]
/** 4 MiB in fragments of 64 bytes to 16 KiB: 256 to 65,536 of them, and 64 are allowed. Closed 1008. */
const FRAGMENTED = [...range('9.3', 1, 5), ...range('9.4', 1, 5)]

/** 12 and 13 are about deflate, which is never negotiated. */
const ALL = ['-x', '12.*', '-x', '13.*']
const SIZES = ['-i', '9.*']

const RUNS: [name: string, limits: Partial<ServerLimits>, select: string[], count: number, refused: string[]][] = [
  ['with the limits as they are', {}, ALL, 301, LARGE],
  ['sizes, with frames of up to 16 MiB', { frame: 16_777_216 }, SIZES, 54, FRAGMENTED],
  ['sizes, with any number of fragments', { frame: 16_777_216, maxFragments: 65_536 }, SIZES, 54, []],
]

/** Megabytes in pieces of 64 bytes have time limits of their own, which a busy machine misses. */
const NIGHTLY = process.env.NIGHTLY !== undefined

describe('RFC 6455, as Autobahn tests it, through the mounted server', () => {
  it.for(NIGHTLY ? RUNS : RUNS.slice(0, 1))(
    '%s',
    { timeout: 120_000 },
    async ([name, limits, select, count, refused], context) => {
      const python = need(context, findKosoku(), KOSOKU)
      const echo = await serveEcho(limits)
      const start = performance.now()
      const results = await runCases(python, echo.address, select).finally(() => echo.close())
      const wrong = [...results].filter(
        ([, { behavior, behaviorClose }]) => behavior === 'FAILED' || behaviorClose === 'FAILED',
      )
      const counts = `${results.size - wrong.length} cases passed, ${wrong.length} are beyond a limit`
      console.log(`autobahn, ${name}: ${counts}`)
      const unexpected = wrong.filter(([id]) => !refused.includes(id)).length
      const seconds = (performance.now() - start) / 1_000
      report({ name: 'autobahn', runs: results.size, violations: unexpected, hangs: 0, seconds })
      expect(results.size).toBe(count)
      expect(wrong.map(([id]) => id).sort()).toEqual([...refused].sort())
      // Undefined: what the suite was still sending made the kernel reset the connection before it had read the code.
      for (const [id, { code }] of wrong) expect([id, [1008, 1009, undefined].includes(code)]).toEqual([id, true])
    },
  )
})
