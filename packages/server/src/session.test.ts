import type { SocketLike, SocketListener } from '@kithwire/protocol'
import { describe, expect, it } from 'vitest'
import { deviceOf, TestServer } from './testing/core-kit.js'
import { gate, StoreWrap } from './testing/store-wrap.js'

const text = (cid: string, content = cid) => ({ cid, type: 'text', content })

describe('a socket before hello', () => {
  it('is closed 4005 after 5 s', async () => {
    const server = new TestServer()
    const ann = server.connect('ann')
    expect(server.core.pendingHellos).toBe(1)
    await server.clock.advance(4_900)
    expect(ann.closed).toBeUndefined()
    expect(await ann.ended()).toBe(4005)
    await server.clock.until(() => server.empty)
    expect(server.core.pendingHellos).toBe(0)
  })

  it('is closed 4005 when the last chunk of a hello does not come', async () => {
    const server = new TestServer()
    const ann = server.connect('ann')
    ann.send({ t: 'hello', device: deviceOf('ann'), attempt: 1, more: true })
    expect(await ann.ended()).toBe(4005)
  })

  it.each([
    ['a send', { t: 'send', n: 1, conversation: 'c1', items: [text('m1')] }],
    ['a ping', { t: 'ping', n: 1 }],
    ['a hello without a device', { t: 'hello', attempt: 1 }],
    ['a hello with a long device', { t: 'hello', device: 'd'.repeat(10_000), attempt: 1 }],
    ['a welcome', { t: 'welcome' }],
  ])('is closed 4500 for %s', async (_name, frame) => {
    const server = new TestServer()
    const ann = server.connect('ann')
    ann.send(frame)
    expect(await ann.ended()).toBe(4500)
    expect(ann.of('error')).toMatchObject([{ fatal: true }])
    await server.clock.until(() => server.empty)
  })
})

describe('a socket', () => {
  it.each([
    ['a server\u2019s frame', '{"v":1,"t":"ack"}', 4500],
    ['a second hello', `{"v":1,"t":"hello","device":"${deviceOf('ann')}","attempt":2}`, 4500],
    ['a frame beyond the limit', `{"v":1,"t":"ping","n":1,"x":"${'x'.repeat(65_536)}"}`, 1009],
  ])('is closed for %s', async (_name, frame, code) => {
    const server = new TestServer()
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    ann.socket.send(frame)
    expect(await ann.ended()).toBe(code)
    expect(ben.closed).toBeUndefined()
    expect(server.lines.filter(({ event }) => event === 'closed')).toHaveLength(1)
    expect(server.core.stats.get(`closed_${code}`)).toBe(1)
  })

  it('is closed 1003 for a binary frame', () => {
    const server = new TestServer()
    for (const accept of ['accept', 'acceptLegacy'] as const) {
      let listener: SocketListener | undefined
      const codes: (number | undefined)[] = []
      const socket: SocketLike = {
        protocol: '',
        bufferedAmount: 0,
        listen: (given) => {
          listener = given
        },
        send() {},
        close: (code) => codes.push(code),
        terminate() {},
      }
      server.core[accept](socket, { user: 'ann' })
      listener!.message(null)
      expect(codes).toEqual([1003])
      listener!.close(1003, '')
    }
    expect(server.empty).toBe(true)
  })

  it('survives two frames a minute that are not of the protocol, and no more', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    for (const frame of ['', '[]']) ann.socket.send(frame)
    await server.clock.advance(61_000)
    for (const frame of ['not JSON', '{"v":2,"t":"ping","n":1}']) ann.socket.send(frame)
    ann.send({ t: 'ping', n: 1 })
    expect(await ann.next('pong')).toEqual({ t: 'pong', re: 1 })
    expect(ann.of('error').map(({ code, fatal }) => [code, fatal])).toEqual(Array(4).fill(['bad_frame', false]))
    ann.socket.send('null')
    expect(await ann.ended()).toBe(4500)
    expect(server.lines.filter(({ event }) => event === 'bad_frame').length).toBeLessThanOrEqual(2)
  })

  it('survives wrong fields and unknown types, which are named in the answer', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    ann.send({ t: 'sync', n: 7, conversation: 'c1', after: -1 })
    ann.send({ t: 'dance', n: 8 })
    await ann.next('error', 2)
    expect(ann.of('error')).toMatchObject([
      { re: 7, code: 'bad_field', fatal: false },
      { re: 8, code: 'unknown_type', fatal: false },
    ])
  })

  it('is refused what is over its rate, and closed 4029 for doing it again and again', async () => {
    const server = new TestServer({ limits: { frameRate: 10, frameBurst: 5 } })
    const ann = await server.enter('ann')
    await server.clock.advance(1_000)
    for (let n = 1; n <= 6; n++) ann.send({ t: 'ping', n })
    ann.sendItems('c1', 'm1')
    ann.send({ t: 'sync', n: 9, conversation: 'c1', after: 0, limit: 1 })
    expect((await ann.next('page')).refused).toMatchObject({ code: 'rate_limited', retry: true })
    expect((await ann.next('ack')).refused).toMatchObject({ code: 'rate_limited', cid: 'm1', retry: true })
    expect([ann.of('pong').length, ann.of('error')]).toMatchObject([5, [{ re: 6, code: 'rate_limited' }]])
    for (let n = 1; n <= 20; n++) ann.send({ t: 'signal', conversation: 'c1', kind: 'typing', value: true })
    expect(await ann.ended()).toBe(4029)
  })

  it('is refused bytes over its rate, but for those of a hello', async () => {
    const server = new TestServer({ limits: { byteRate: 1_000, byteBurst: 2_000 } })
    const cursors = Array.from({ length: 500 }, (_, index) => [`conversation-${index}`, 1, 'aaaaaaaa'] as const)
    const ann = await server.enter('ann', { cursors })
    ann.send({ t: 'send', n: 1, conversation: 'c1', items: [text('m1', 'x'.repeat(3_000))] })
    expect((await ann.next('ack')).refused).toMatchObject({ code: 'rate_limited' })
  })

  it('is closed 4029 for a flood of pings and pongs', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    for (let count = 0; count < 1_000; count++) ann.socket.ping!()
    expect(await ann.ended()).toBe(4029)
  })

  it('gets a heartbeat frame when it is otherwise idle', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    await server.clock.advance(60_000)
    expect(ann.of('heartbeat')).toHaveLength(2)
    await server.clock.advance(600_000)
    expect(ann.closed).toBeUndefined()
  })

  it('is closed 4003 when it answers no ping, and its successor lives on', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    ann.socket.cut()
    const next = await server.enter('ann', { device: deviceOf('next') })
    await server.clock.advance(60_000)
    expect(server.core.stats.get('closed_4003')).toBe(1)
    expect([server.core.connections('ann'), next.closed]).toEqual([1, undefined])
  })

  it('is not read while 64 items wait for the store, until half of them are stored', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap, limits: { burst: 1_000 } })
    const ann = await server.enter('ann')
    for (let index = 1; index <= 4; index++) server.friends.table.set(`x${index}`, ['ann', 'ben'])
    const { opened, open } = gate()
    hooks.before.append = () => opened
    const cids = (name: string) => Array.from({ length: 32 }, (_, index) => `${name}-${index}`)
    for (let index = 1; index <= 4; index++) ann.sendItems(`x${index}`, ...cids(`x${index}`))
    ann.send({ t: 'ping', n: 99 })
    await server.clock.advance(2_000)
    expect(ann.of('pong')).toEqual([])
    open()
    await ann.next('pong')
    await ann.next('ack', 4)
    expect(ann.of('ack').every(({ items }) => items.length === 32)).toBe(true)
  })

  it('does not take its own silence for a dead peer while it is not read', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap, limits: { queueMs: 600_000, inflight: 1 } })
    const ann = await server.enter('ann')
    const { opened, open } = gate()
    hooks.before.append = () => opened
    ann.sendItems('c1', 'm1')
    await server.clock.advance(120_000)
    expect(ann.closed).toBeUndefined()
    expect(ann.of('heartbeat').length).toBeGreaterThan(3)
    open()
    await ann.next('ack')
  })
})

describe('a slow reader', () => {
  const big = (cid: string) => [text(cid, 'x'.repeat(16_000))]

  async function flood(frames: number) {
    const server = new TestServer()
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    ben.socket.stalled = true
    for (let index = 1; index <= frames; index++)
      await server.core.send({ conversation: 'c1', from: 'ann', items: big(`m${index}`) })
    await server.clock.settle()
    return { server, ann, ben }
  }

  it('is skipped beyond the soft limit and told what it is behind once drained', async () => {
    const { server, ben } = await flood(100)
    expect(ben.server.bufferedAmount).toBeLessThanOrEqual(262_144 + 20_000)
    expect(server.core.stats.get('pushes_skipped')).toBeGreaterThan(80)
    await server.clock.advance(10_000)
    ben.socket.stalled = false
    expect((await ben.next('behind')).heads[0]?.slice(0, 2)).toEqual(['c1', 100])
    await server.clock.advance(1_000)
    expect(ben.of('behind')).toHaveLength(1)
    await server.core.send({ conversation: 'c1', from: 'ann', items: big('m101') })
    await server.clock.advance(1_000)
    expect(ben.seqs.at(-1)).toBe(101)
  })

  it('is told again when telling failed', async () => {
    const { server, ben } = await flood(100)
    server.friends.failing = true
    ben.socket.stalled = false
    await server.clock.advance(5_000)
    expect(ben.of('behind')).toEqual([])
    server.friends.failing = false
    await ben.next('behind')
    const failures = server.lines.filter(({ event, fields }) => event === 'behind_failed' && fields.user === 'ben')
    expect(failures).toHaveLength(1)
  })

  it('leaves nothing behind when it goes while telling fails', async () => {
    const { server, ann, ben } = await flood(100)
    const { opened, open } = gate()
    server.friends.of = async () => {
      await opened
      throw new Error('down')
    }
    ben.socket.stalled = false
    await server.clock.advance(100)
    for (const client of [ann, ben]) client.socket.close()
    await server.clock.advance(100)
    open()
    await server.clock.settle()
    await server.clock.advance(6_000)
    expect(server.core.sizes.timers).toBe(0)
  })

  it('is closed 4008 when nothing has moved for 30 s, though it still sends', async () => {
    const { server, ann, ben } = await flood(1)
    for (let second = 0; second < 29; second++) {
      ben.send({ t: 'signal', conversation: 'c1', kind: 'typing', value: true })
      await server.clock.advance(1_000)
    }
    expect(server.core.stats.get('closed_4008')).toBeUndefined()
    await server.clock.advance(1_500)
    expect(server.core.stats.get('closed_4008')).toBe(1)
    await server.clock.advance(3_000)
    expect([server.core.connections('ben'), ann.closed]).toEqual([0, undefined])
  })

  it('is closed 4008 beyond the hard limit', async () => {
    const server = new TestServer({ limits: { softBuffer: 20_000, hardBuffer: 20_000 } })
    const ben = await server.enter('ben')
    ben.socket.stalled = true
    for (const cid of ['m1', 'm2']) await server.core.send({ conversation: 'c1', from: 'ann', items: big(cid) })
    await server.clock.settle()
    expect(server.core.stats.get('closed_4008')).toBe(1)
    await server.clock.until(() => server.empty)
  })

  it('is read nothing for before it has taken what it asked for', async () => {
    const { server, ben } = await flood(100)
    for (let n = 1; n <= 4; n++) ben.send({ t: 'sync', n, conversation: 'c1', after: 0, limit: 200 })
    await server.clock.advance(1_000)
    expect(ben.server.bufferedAmount).toBeLessThanOrEqual(262_144 + 20_000)
    ben.socket.stalled = false
    await ben.next('page', 4)
  })
})
