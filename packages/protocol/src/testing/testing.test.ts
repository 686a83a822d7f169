import { describe, expect, it } from 'vitest'
import type { SocketListener } from '../socket.js'
import { FakeClock } from './fake-clock.js'
import { SeededRandom } from './seeded-random.js'
import { socketPair } from './socket-pair.js'

const recorder = (log: string[]): SocketListener => ({
  open: () => log.push('open'),
  message: (text) => log.push(`message ${text}`),
  alive: () => log.push('alive'),
  close: (code, reason) => log.push(`close ${code} ${reason}`),
})

describe('FakeClock', () => {
  it('runs timers by time, then by the order of their making, and what they made ready in between', async () => {
    const clock = new FakeClock()
    const log: string[] = []
    clock.setTimer(() => log.push('b'), 10)
    clock.setTimer(() => void Promise.resolve().then(() => log.push('a promise')), 5)
    clock.setTimer(() => log.push('c'), 10)
    const cleared = clock.setTimer(() => log.push('never'), 7)
    clock.clearTimer(cleared)
    clock.clearTimer(cleared)
    expect(clock.pending).toBe(3)
    await clock.advance(10)
    expect(log).toEqual(['a promise', 'b', 'c'])
    expect(clock.monotonic()).toBe(10)
    expect(clock.pending).toBe(0)
  })

  it('keeps hundreds of timers in order', async () => {
    const clock = new FakeClock()
    const random = new SeededRandom(5)
    const ran: number[] = []
    for (let index = 0; index < 500; index++) {
      const ms = random.integer(0, 100)
      clock.setTimer(() => ran.push(ms), ms)
    }
    await clock.advance(100)
    expect(ran).toEqual([...ran].sort((a, b) => a - b))
    expect(ran).toHaveLength(500)
  })

  it('moves the wall clock alone', () => {
    const clock = new FakeClock({ now: 1_000 })
    clock.jump(-500)
    expect([clock.now(), clock.monotonic()]).toEqual([500, 0])
  })

  it('says when a condition did not come true', async () => {
    const clock = new FakeClock()
    await expect(clock.until(() => false, 50)).rejects.toThrow('within 50 ms')
    let done = false
    clock.setTimer(() => (done = true), 40)
    await clock.until(() => done, 50)
    expect(clock.monotonic()).toBe(40)
  })
})

describe('SeededRandom', () => {
  it('is a function of its seed', () => {
    const take = (seed: number) =>
      Array.from(
        { length: 20 },
        (
          (r) => () =>
            r.uint32()
        )(new SeededRandom(seed)),
      )
    expect(take(7)).toEqual(take(7))
    expect(take(7)).not.toEqual(take(8))
  })

  it('covers its range evenly enough', () => {
    const random = new SeededRandom(3)
    const hits = new Array(10).fill(0)
    for (let index = 0; index < 10_000; index++) hits[random.integer(0, 9)]++
    for (const count of hits) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  })
})

describe('socketPair', () => {
  it('carries frames both ways in order, then the close code', async () => {
    const clock = new FakeClock()
    let latency = 30
    const [client, server] = socketPair(clock, { latency: () => (latency -= 10), protocol: 'p' })
    const log: string[] = []
    client.listen(recorder(log))
    server.listen(recorder(log))
    client.send('1')
    client.send('2')
    expect(client.bufferedAmount).toBe(2)
    await clock.advance(30)
    expect([client.bufferedAmount, client.protocol]).toEqual([0, 'p'])
    server.close(4009, 'replaced')
    await clock.advance(30)
    expect(log).toEqual(['message 1', 'message 2', 'open', 'close 4009 replaced', 'close 4009 replaced'])
    expect(clock.pending).toBe(0)
  })

  it('keeps what a paused end does not read, and what a stalled one leaves in the buffer', async () => {
    const clock = new FakeClock()
    const [client, server] = socketPair(clock)
    const log: string[] = []
    server.listen(recorder(log))
    server.pause()
    let done = false
    client.send('x', () => (done = true))
    await clock.advance(1)
    expect([log, done, client.bufferedAmount]).toEqual([[], false, 1])
    server.resume()
    expect([log, done, client.bufferedAmount]).toEqual([['message x'], true, 0])
    server.stalled = true
    client.send('y')
    await clock.advance(1)
    expect(client.bufferedAmount).toBe(1)
    server.stalled = false
    expect(log).toEqual(['message x', 'message y'])
  })

  it('answers pings until the cable is cut, and tells nobody then', async () => {
    const clock = new FakeClock()
    const [client, server] = socketPair(clock)
    const log: string[] = []
    server.listen(recorder(log))
    client.listen({ message() {}, close() {} })
    server.ping()
    await clock.advance(1)
    expect(log).toEqual(['alive'])
    client.cut()
    server.ping()
    client.send('lost')
    await clock.advance(1_000)
    expect(log).toEqual(['alive'])
    server.terminate()
    await clock.advance(1)
    expect(log).toEqual(['alive', 'close 1006 '])
  })
})
