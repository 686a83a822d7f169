import { describe, expect, it } from 'vitest'
import { newCid, newId, systemRuntime } from './runtime.js'
import { FakeClock } from './testing/fake-clock.js'

describe('ids', () => {
  it('makes a UUIDv7 whose first 48 bits are the wall clock', () => {
    const cid = newCid(new FakeClock({ now: 0x0192_f3c1_8a2b }))
    expect(cid).toMatch(/^0192f3c1-8a2b-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('makes cids that sort by time and ids of 22 characters', () => {
    const clock = new FakeClock()
    const early = newCid(clock)
    clock.jump(1)
    expect(newCid(clock) > early).toBe(true)
    expect(newId(clock)).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })

  it('does not repeat itself', () => {
    const made = new Set(Array.from({ length: 10_000 }, () => newId(systemRuntime)))
    expect(made.size).toBe(10_000)
  })
})

describe('systemRuntime', () => {
  it('runs a timer, and not one that was cleared', async () => {
    const cleared = systemRuntime.setTimer(() => expect.fail('was cleared'), 0)
    systemRuntime.clearTimer(cleared)
    const before = systemRuntime.monotonic()
    await new Promise<void>((resolve) => systemRuntime.setTimer(resolve, 3))
    expect(systemRuntime.monotonic()).toBeGreaterThan(before)
    expect(systemRuntime.now()).toBeGreaterThan(1_700_000_000_000)
    expect(systemRuntime.random()).toBeLessThan(1)
  })
})
