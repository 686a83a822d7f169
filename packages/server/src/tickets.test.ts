import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { Tickets } from './tickets.js'

describe('Tickets', () => {
  it('lets a ticket in once', () => {
    const tickets = new Tickets(new FakeClock())
    const ticket = tickets.issue('ann', 9)
    expect(tickets.redeem(ticket)).toEqual({ id: 'ann', expires: 9 })
    expect(tickets.redeem(ticket)).toBeNull()
    expect(tickets.redeem('__proto__')).toBeNull()
  })

  it('lets none in that is older than 30 s', async () => {
    const runtime = new FakeClock()
    const tickets = new Tickets(runtime)
    const [early, late] = [tickets.issue('ann'), tickets.issue('ann')]
    await runtime.advance(30_000)
    expect(tickets.redeem(early)).toEqual({ id: 'ann' })
    await runtime.advance(1)
    expect(tickets.redeem(late)).toBeNull()
  })

  it('refuses what is no user id', () => {
    expect(() => new Tickets(new FakeClock()).issue('')).toThrow(expect.objectContaining({ code: 'bad_field' }))
  })
})
