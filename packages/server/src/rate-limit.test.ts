import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { TokenBucket, UserRates, WindowCount } from './rate-limit.js'

describe('TokenBucket', () => {
  it('gives the burst at once and the rate in the long run', () => {
    const bucket = new TokenBucket(10, 40, 0)
    expect(bucket.take(50, 0)).toBe(40)
    expect(bucket.take(1, 99)).toBe(0)
    expect(bucket.wait(1, 99)).toBe(1)
    expect(bucket.take(1, 100)).toBe(1)
    let taken = 0
    for (let now = 100; now <= 60_100; now += 10) taken += bucket.take(5, now)
    expect(taken).toBe(600)
  })

  it('takes all or nothing where asked', () => {
    const bucket = new TokenBucket(10, 40, 0)
    expect([bucket.takeAll(30, 0), bucket.takeAll(30, 0), bucket.takeAll(10, 0)]).toEqual([true, false, true])
  })

  it('does not lose tokens to a clock that stands', () => {
    const bucket = new TokenBucket(10, 40, 100)
    expect(bucket.take(40, 50)).toBe(40)
    expect(bucket.full(4_100)).toBe(true)
  })
})

describe('UserRates', () => {
  it('charges a user over all sockets, says when to come back, and forgets who has recovered', async () => {
    const clock = new FakeClock()
    const rates = new UserRates(clock, { rate: 10, burst: 40 })
    expect(rates.take('ann', 32)).toEqual({ granted: 32, after: 0 })
    expect(rates.take('ann', 32)).toEqual({ granted: 8, after: 1_000 })
    expect(rates.take('ann', 1)).toEqual({ granted: 0, after: 100 })
    expect(rates.take('ben', 1).granted).toBe(1)
    expect(rates.size).toBe(2)
    await clock.advance(10_000)
    expect([rates.size, clock.pending]).toEqual([0, 0])
    expect(rates.take('ann', 0)).toEqual({ granted: 0, after: 0 })
    expect(rates.size).toBe(0)
  })

  it('keeps a bucket that is not full, so that a reconnect does not fill it', async () => {
    const clock = new FakeClock()
    const rates = new UserRates(clock, { rate: 10, burst: 40 })
    rates.take('ben', 1)
    await clock.advance(3_000)
    rates.take('ann', 40)
    await clock.advance(1_500)
    expect(rates.size).toBe(1)
    rates.clear()
    expect([rates.size, clock.pending]).toEqual([0, 0])
  })
})

describe('WindowCount', () => {
  it('reaches its limit within the window alone', () => {
    const count = new WindowCount(3, 1_000)
    expect([0, 500, 1_000, 1_400, 1_450].map((now) => count.hit(now))).toEqual([false, false, false, true, true])
    expect(count.hit(10_000)).toBe(false)
  })
})
