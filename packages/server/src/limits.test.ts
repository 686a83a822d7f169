import { describe, expect, it } from 'vitest'
import { DEFAULT_SERVER_LIMITS, resolveLimits, type ServerLimits } from './limits.js'

describe('resolveLimits', () => {
  it('fills in the defaults', () => {
    expect(resolveLimits()).toEqual(DEFAULT_SERVER_LIMITS)
    const given: Partial<ServerLimits> = { rate: 3 }
    expect(resolveLimits(given)).toEqual({ ...DEFAULT_SERVER_LIMITS, rate: 3 })
  })

  it.each([
    [{ rate: 0 }, /limits\.rate: expected a positive integer, came 0/],
    [{ rate: 1.5 }, /came 1\.5/],
    [{ rate: '3' as never }, /came 3/],
    [{ speed: 3 } as never, /limits\.speed: there is no such limit/],
    [{ softBuffer: 2_000_000 }, /softBuffer: expected at most hardBuffer/],
  ])('throws bad_option for %o', (given, message) => {
    expect(() => resolveLimits(given)).toThrow(
      expect.objectContaining({ code: 'bad_option', message: expect.stringMatching(message) }),
    )
  })
})
