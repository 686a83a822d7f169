import { describe, expect, it } from 'vitest'
import { deviceOf, TestServer } from './testing/core-kit.js'
import { StoreWrap } from './testing/store-wrap.js'

/** The cases of the hostile list that are about too much of something. */

describe('too much', { timeout: 60_000 }, () => {
  it('E24 of signals is dropped, and then ends 4029', async () => {
    const server = new TestServer()
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    for (let index = 0; index < 500; index++)
      ann.send({ t: 'signal', conversation: 'c1', kind: 'typing', value: index % 2 === 0 })
    expect(await ann.ended()).toBe(4029)
    expect(ben.of('signal').length).toBeLessThan(300)
    expect(ben.closed).toBeUndefined()
  })

  it('R4 of one user is refused with the time to wait, on all sockets together, and hurts nobody else', async () => {
    const server = new TestServer()
    server.friends.table.set('c2', ['cyd', 'dan'])
    const [one, two] = [await server.enter('ann'), await server.enter('ann', { device: deviceOf('two') })]
    const cyd = await server.enter('cyd')
    for (let index = 0; index < 100; index++) {
      for (const [name, socket] of [
        ['a', one],
        ['b', two],
      ] as const)
        socket.sendItems('c1', `${name}${index}`)
      if (index % 10 === 0) cyd.sendItems('c2', `c${index}`)
      await server.clock.advance(10)
    }
    const acks = [...one.of('ack'), ...two.of('ack')]
    const stored = acks.flatMap(({ items }) => items).length
    expect(stored).toBeGreaterThanOrEqual(40)
    expect(stored).toBeLessThanOrEqual(51)
    const refused = acks.flatMap(({ refused }) => refused ?? [])
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['rate_limited']))
    for (const { after } of refused) expect(after).toBeGreaterThan(0)
    expect(cyd.of('ack').flatMap(({ items }) => items)).toHaveLength(10)
  })

  it('R2 for 1,000 sockets that do not read is skipped, and who never reads again is closed 4008', async () => {
    const server = new TestServer()
    const sleepers = []
    for (let index = 0; index < 1_000; index++)
      sleepers.push(await server.enter('ben', { device: deviceOf(`d${index}`) }))
    for (const { socket } of sleepers) socket.stalled = true
    const content = 'x'.repeat(16_000)
    for (let index = 0; index < 60; index++)
      await server.core.send({ conversation: 'c1', from: 'ann', items: [{ cid: `m${index}`, type: 'text', content }] })
    await server.clock.advance(100)
    const buffered = sleepers.map((sleeper) => sleeper.server.bufferedAmount)
    expect(Math.max(...buffered)).toBeLessThanOrEqual(262_144 + 20_000)
    await server.clock.advance(40_000)
    expect(server.core.stats.get('closed_4008')).toBe(1_000)
    await server.clock.until(() => server.empty)
  })

  it('R14 of bad frames makes one line a minute for each kind and socket', async () => {
    const server = new TestServer({
      limits: { frameRate: 1_000_000, frameBurst: 1_000_000, byteRate: 1e9, byteBurst: 1e9 },
    })
    const ann = await server.enter('ann')
    for (let index = 0; index < 20_000; index++) {
      ann.socket.send(index % 2 === 0 ? '{"v":1,"t":"forged\\r\\n"}' : '{"v":1,"t":"ping","n":"forged"}')
      if (index % 1_000 === 0) await server.clock.advance(1_000)
    }
    await server.clock.advance(1_000)
    expect(server.core.stats.get('frames_unknown')).toBe(10_000)
    const events = server.lines.map(({ event }) => event)
    expect([...new Set(events)].sort()).toEqual(['bad_field', 'unknown_type'])
    expect(events).toHaveLength(2)
    expect(JSON.stringify(server.lines)).not.toContain('forged')
  })
})

describe('a store that takes 10 s', () => {
  it('R11 stops the reading of who sends too much, refuses what waits, and no heartbeat is missed', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap, limits: { rate: 1_000, burst: 1_000 } })
    hooks.before.append = () => new Promise<void>((resolve) => void server.clock.setTimer(resolve, 10_000))
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    server.friends.table.set('c2', ['ann', 'cyd'])
    server.friends.table.set('c3', ['ann', 'dan'])
    const cids = (name: string) => Array.from({ length: 32 }, (_, index) => `${name}${index}`)
    for (const conversation of ['c1', 'c2', 'c3']) ann.sendItems(conversation, ...cids(conversation))
    await server.clock.advance(9_000)
    // 64 items wait: the third send is not read.
    expect(ann.of('ack').length).toBeLessThan(3)
    ben.send({ t: 'ping', n: 1 })
    await server.clock.advance(1)
    expect(ben.of('pong')).toHaveLength(1)
    await server.clock.advance(90_000)
    expect(ann.of('ack').length).toBe(3)
    expect([ann.closed, ben.closed]).toEqual([undefined, undefined])
    expect(ben.of('heartbeat').length).toBeGreaterThan(1)
  })
})
