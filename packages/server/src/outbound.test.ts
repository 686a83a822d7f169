import { FakeClock, socketPair } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { Outbound } from './outbound.js'
import { TimerWheel } from './timer-wheel.js'

/** A clock that can go on while the process stands still. */
class PausedClock extends FakeClock {
  private extra = 0
  override monotonic(): number {
    return super.monotonic() + this.extra
  }
  pause(ms: number): void {
    this.extra += ms
  }
}

function make() {
  const clock = new PausedClock()
  const [peer, socket] = socketPair(clock)
  peer.listen({ message() {}, close() {} })
  const events: string[] = []
  const outbound = new Outbound(
    socket,
    {
      runtime: clock,
      wheel: new TimerWheel(clock, () => {}),
      limits: { softBuffer: 100, hardBuffer: 1_000, stallMs: 30_000 },
    },
    { overflow: () => events.push('overflow'), drained: () => events.push('drained') },
  )
  return { clock, peer, outbound, events }
}

describe('Outbound', () => {
  it('is slow beyond the soft limit and clear at a quarter of it', async () => {
    const { clock, peer, outbound, events } = make()
    peer.stalled = true
    outbound.send('x'.repeat(100))
    expect([outbound.slow, outbound.clear]).toEqual([false, false])
    outbound.send('x')
    expect(outbound.slow).toBe(true)
    let clear = false
    void outbound.whenClear().then(() => {
      clear = true
    })
    await clock.advance(1_000)
    expect(clear).toBe(false)
    peer.stalled = false
    await clock.settle()
    expect([clear, outbound.clear]).toEqual([true, true])
    expect(events).toContain('drained')
  })

  it('overflows beyond the hard limit at once', () => {
    const { peer, outbound, events } = make()
    peer.stalled = true
    outbound.send('x'.repeat(1_001))
    expect(events).toEqual(['overflow'])
  })

  it('overflows when nothing moves, and keeps no timer when everything has', async () => {
    const { clock, peer, outbound, events } = make()
    outbound.send('x')
    await clock.advance(40_000)
    expect([events, clock.pending]).toEqual([['drained'], 0])
    peer.stalled = true
    outbound.send('x')
    await clock.advance(29_900)
    expect(events).toEqual(['drained'])
    await clock.advance(200)
    expect(events).toEqual(['drained', 'overflow'])
  })

  it('gives who did not move while the process was paused a little longer', async () => {
    const { clock, peer, outbound, events } = make()
    peer.stalled = true
    outbound.send('x')
    await clock.advance(1_000)
    clock.pause(60_000)
    await clock.advance(30_000)
    peer.stalled = false
    await clock.advance(60_000)
    expect(events).toEqual(['drained'])
  })

  it('lets go of who waits when the socket is gone', async () => {
    const { clock, peer, outbound } = make()
    peer.stalled = true
    outbound.send('x'.repeat(50))
    const waiting = outbound.whenClear()
    outbound.stop()
    await waiting
    await clock.advance(1_000)
    expect(clock.pending).toBe(0)
  })
})
