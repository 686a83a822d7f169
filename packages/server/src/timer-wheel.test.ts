import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { Heartbeat, IdleTimer } from './heartbeat.js'
import { TimerWheel } from './timer-wheel.js'

const make = () => {
  const clock = new FakeClock()
  const failures: unknown[] = []
  return { clock, failures, wheel: new TimerWheel(clock, (cause) => failures.push(cause)) }
}

describe('TimerWheel', () => {
  it('runs each timer once, never early and at most a tick late, in later rounds too', async () => {
    const { clock, wheel } = make()
    const delays = [0, 1, 99, 100, 101, 5_000, 51_199, 51_200, 51_300, 200_000]
    const ran: [number, number][] = []
    await clock.advance(37)
    const start = clock.monotonic()
    for (const delay of delays) wheel.set(() => ran.push([delay, clock.monotonic() - start]), delay)
    await clock.advance(300_000)
    expect(ran.map(([delay]) => delay)).toEqual(delays)
    for (const [delay, at] of ran) {
      expect(at).toBeGreaterThanOrEqual(delay)
      expect(at).toBeLessThanOrEqual(delay + 100)
    }
    expect([wheel.size, clock.pending]).toEqual([0, 0])
  })

  it('sleeps when it is empty, and lets go of a timer that is cleared', async () => {
    const { clock, wheel } = make()
    const timer = wheel.set(() => expect.unreachable(), 1_000)
    wheel.clear(timer)
    wheel.clear(timer)
    wheel.clear(undefined)
    expect([wheel.size, clock.pending]).toEqual([0, 0])
    await clock.advance(5_000)
  })

  it('runs at most 200 in one turn and the rest in the next', async () => {
    const { clock, wheel } = make()
    const turns = new Map<number, number>()
    for (let index = 0; index < 450; index++)
      wheel.set(() => turns.set(clock.monotonic(), (turns.get(clock.monotonic()) ?? 0) + 1), 1_000)
    await clock.advance(2_000)
    expect([...turns]).toEqual([
      [1_000, 200],
      [1_100, 200],
      [1_200, 50],
    ])
  })

  it('survives a timer that throws', async () => {
    const { clock, wheel, failures } = make()
    let ran = false
    wheel.set(() => {
      throw new Error('one')
    }, 100)
    wheel.set(() => {
      ran = true
    }, 100)
    await clock.advance(200)
    expect([ran, failures.length]).toEqual([true, 1])
  })
})

/** A clock that stands still for the process while time goes on, as when it is stopped or swapped out. */
class PausedClock extends FakeClock {
  private extra = 0
  override monotonic(): number {
    return super.monotonic() + this.extra
  }
  pause(ms: number): void {
    this.extra += ms
  }
}

describe('Heartbeat', () => {
  const start = (clock: FakeClock, answers: () => boolean, paused = () => false, heartbeatMs = 25_000) => {
    const pings: number[] = []
    const state = { inbound: 0, deadAt: undefined as number | undefined }
    const heartbeat = new Heartbeat(
      {
        inbound: {
          get frames() {
            return state.inbound
          },
          get paused() {
            return paused()
          },
        },
        ping() {
          pings.push(clock.monotonic())
          if (answers()) state.inbound++
        },
        dead() {
          state.deadAt = clock.monotonic()
        },
      },
      { wheel: new TimerWheel(clock, () => {}), runtime: clock, limits: { heartbeatMs, deadMs: 20_000 } },
    )
    return { heartbeat, pings, state }
  }

  it('pings every 25 s ± 20 % while the peer answers', async () => {
    const clock = new FakeClock()
    const { pings, state, heartbeat } = start(clock, () => true)
    await clock.advance(600_000)
    expect(state.deadAt).toBeUndefined()
    pings.reduce((before, at) => {
      expect(at - before).toBeGreaterThanOrEqual(20_000)
      expect(at - before).toBeLessThanOrEqual(30_100)
      return at
    }, 0)
    expect(pings.length).toBeGreaterThanOrEqual(20)
    heartbeat.stop()
    expect(clock.pending).toBe(0)
  })

  it('reports a peer dead 20 s after a ping that nothing followed', async () => {
    const clock = new FakeClock()
    const { pings, state } = start(clock, () => false)
    await clock.until(() => state.deadAt !== undefined)
    expect(pings).toHaveLength(1)
    expect(state.deadAt! - pings[0]!).toBeGreaterThanOrEqual(20_000)
    expect(state.deadAt! - pings[0]!).toBeLessThanOrEqual(20_200)
    expect(clock.pending).toBe(0)
  })

  it('pings as often as it was told where that is shorter than its patience', async () => {
    const clock = new FakeClock()
    const { pings, heartbeat } = start(
      clock,
      () => true,
      () => false,
      10_000,
    )
    await clock.advance(100_000)
    expect(pings.length).toBeGreaterThanOrEqual(8)
    heartbeat.stop()
  })

  it('does not take for silence what we do not read ourselves', async () => {
    const clock = new FakeClock()
    const { state, heartbeat } = start(
      clock,
      () => false,
      () => true,
    )
    await clock.advance(300_000)
    expect(state.deadAt).toBeUndefined()
    heartbeat.stop()
  })

  it('reads what arrived during a pause before it gives a peer up, however short the pause was', async () => {
    const clock = new PausedClock()
    const { pings, state, heartbeat } = start(clock, () => false)
    await clock.until(() => pings.length === 1)
    // The pong comes while the process stands still, until 3 s after the end of its patience.
    clock.pause(3_000)
    await clock.advance(clock.untilNext()!)
    state.inbound++
    await clock.until(() => pings.length === 2)
    expect(state.deadAt).toBeUndefined()
    heartbeat.stop()
  })

  it('skips one round of kills after a pause of the process', async () => {
    const clock = new PausedClock()
    const { pings, state } = start(clock, () => false)
    await clock.until(() => pings.length === 1)
    clock.pause(60_000)
    await clock.until(() => pings.length === 2)
    expect(state.deadAt).toBeUndefined()
    await clock.until(() => state.deadAt !== undefined)
  })
})

describe('IdleTimer', () => {
  it('runs when nothing was sent for so long, and not before', async () => {
    const clock = new FakeClock()
    let sent = 0
    const ran: number[] = []
    const idle = new IdleTimer(
      {
        outbound: {
          get lastSent() {
            return sent
          },
        },
        idle() {
          sent = clock.monotonic()
          ran.push(sent)
        },
      },
      {
        wheel: new TimerWheel(clock, () => {}),
        runtime: clock,
        limits: { heartbeatMs: 25_000, deadMs: 20_000 },
      },
    )
    await clock.advance(10_000)
    sent = clock.monotonic()
    await clock.advance(90_000)
    expect(ran).toEqual([35_000, 60_000, 85_000])
    idle.stop()
    expect(clock.pending).toBe(0)
  })
})
