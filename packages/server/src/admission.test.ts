import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { Admission, type AdmissionLimits, type Place } from './admission.js'

const make = (limits: Partial<AdmissionLimits> = {}) => {
  const runtime = new FakeClock()
  const admission = new Admission(
    {
      connectionsPerUser: 2,
      connectionsPerAddress: 3,
      connections: 5,
      handshakeRate: 1,
      handshakeBurst: 10,
      ...limits,
    },
    runtime,
  )
  const enter = (address: string) => admission.enter(address) as Place
  return { runtime, admission, enter }
}

describe('Admission', () => {
  it('counts per address, an IPv6 /64 as one, and in all', () => {
    const { admission, enter } = make()
    const first = enter('10.0.0.1')
    enter('10.0.0.1')
    enter('10.0.0.1')
    expect(admission.enter('10.0.0.1')).toBe('address')
    enter('2001:db8::1')
    enter('2001:db8:0:0:ffff::2')
    expect(admission.enter('10.0.0.2')).toBe('total')
    first.release()
    first.release()
    expect(admission.size).toBe(4)
    expect(admission.enter('10.0.0.1')).toBeTypeOf('object')
  })

  it('counts per user from any address, and forgets with the socket', () => {
    const { enter } = make()
    const places = [enter('a'), enter('b'), enter('c')]
    expect(places.map((place) => place.claim('__proto__'))).toEqual([true, true, false])
    places[0]!.release()
    expect(places[2]!.claim('__proto__')).toBe(true)
  })

  it('limits handshakes per second, also of those that are gone', async () => {
    const { runtime, admission } = make()
    const tries = Array.from({ length: 12 }, () => {
      const place = admission.enter('a')
      if (typeof place === 'object') place.release()
      return typeof place
    })
    expect(tries.filter((kind) => kind === 'object')).toHaveLength(10)
    expect(admission.enter('b')).toBeTypeOf('object')
    await runtime.advance(1_000)
    expect(admission.enter('a')).toBeTypeOf('object')
    expect(admission.enter('a')).toBe('rate')
  })

  it('makes guessing dearer than connecting', () => {
    const { admission, enter } = make()
    for (let index = 0; index < 2; index++) {
      const place = enter('a')
      place.failed()
      place.release()
    }
    expect(admission.enter('a')).toBe('rate')
  })
})
