import { newId } from '@kithwire/protocol'
import { expect, it } from 'vitest'
import { LocalBus } from './buses/local.js'
import { encodeHint } from './hint.js'
import { deviceOf, TestServer } from './testing/core-kit.js'
import { twoNodes } from './testing/two-nodes.js'

it('closes 4009 the session of a device that has come back to another node', async () => {
  const { one, other, clock } = twoNodes()
  const old = await one.enter('ann', { attempt: 1 })
  const tablet = await one.enter('ann', { attempt: 1, device: deviceOf('tablet') })
  const ben = await one.enter('ben', { attempt: 1, device: deviceOf('ann') })
  const next = await other.enter('ann', { attempt: 2 })
  expect(await old.ended()).toBe(4009)
  // An old hello that arrives last does not end the new session.
  const late = one.connect('ann')
  late.send({ t: 'hello', device: deviceOf('ann'), attempt: 1 })
  expect(await late.ended()).toBe(4009)
  const equal = await one.enter('ann', { attempt: 2 })
  await clock.advance(1_000)
  expect([tablet, ben, next, equal].map(({ closed }) => closed)).toEqual(Array(4).fill(undefined))
})

it('applies a block of one node on the other at once, and within 30 s if the hint is lost', async () => {
  const { one, other, buses, clock, friends } = twoNodes()
  const ben = await other.enter('ben')
  ben.sendItems('c1', 'm1')
  await ben.next('ack')
  friends.blocked.add('c1')
  await one.core.membershipChanged('c1', ['ann', 'ben'])
  await clock.advance(10)
  ben.sendItems('c1', 'm2')
  expect((await ben.next('ack', 2)).refused?.code).toBe('blocked')
  friends.blocked.delete('c1')
  await one.core.membershipChanged('c1', ['ann', 'ben'])
  ben.sendItems('c1', 'm3')
  expect((await ben.next('ack', 3)).items).toHaveLength(1)
  buses[1].copies = () => 0
  friends.blocked.add('c1')
  await one.core.membershipChanged('c1', ['ann', 'ben'])
  await clock.advance(30_001)
  ben.sendItems('c1', 'm4')
  expect((await ben.next('ack', 4)).refused?.code).toBe('blocked')
})

it('revokes on all nodes', async () => {
  const { one, other } = twoNodes()
  const here = await one.enter('ann')
  const there = await other.enter('ann', { device: deviceOf('tablet') })
  const bare = other.connectLegacy('ann')
  one.core.revoke('ann', 4503)
  expect(await Promise.all([here.ended(), there.ended(), bare.ended()])).toEqual([4503, 4503, 4503])
})

it('looks every 2 s while the bus is down, says so, and looks once more when it is back', async () => {
  const { one, other, buses, clock } = twoNodes()
  const ann = await one.enter('ann')
  const ben = await other.enter('ben')
  expect(ben.of('welcome')[0]!.capabilities).toEqual([])
  for (const bus of buses) bus.turn(false)
  for (const n of [1, 2]) {
    ann.sendItems('c1', `m${n}`)
    await ann.next('ack', n)
    await clock.advance(2_200)
    expect(ben.of('behind')).toHaveLength(n)
  }
  const tablet = await other.enter('ben', { device: deviceOf('tablet') })
  expect(tablet.of('welcome')[0]!.capabilities).toEqual(['degraded'])
  const item = { cid: 'm3', type: 'text', content: '' }
  await one.store.append([{ conversation: 'c1', from: 'ann', items: [item] }])
  for (const bus of buses) bus.turn(true)
  await clock.advance(10_000)
  expect(ben.of('behind')).toHaveLength(3)
  ann.sendItems('c1', 'm4')
  expect((await ben.next('messages')).items[0]!.seq).toBe(4)
})

it('welcomes although a subscription is not confirmed, and looks when it is', async () => {
  const { one, buses, clock } = twoNodes()
  let confirm = () => {}
  buses[0].subscribe = () =>
    new Promise((resolve) => {
      confirm = resolve
    })
  const ann = one.connect('ann')
  ann.send({ t: 'hello', device: deviceOf('ann'), attempt: 1 })
  await clock.advance(1_900)
  expect(ann.frames).toEqual([])
  await clock.advance(300)
  expect(ann.of('welcome')).toHaveLength(1)
  const item = { cid: 'm1', type: 'text', content: '' }
  await one.store.append([{ conversation: 'c1', from: 'ben', items: [item] }])
  confirm()
  await clock.advance(10_000)
  expect(ann.of('behind')).toHaveLength(1)
})

it.each([
  ['rejects', () => Promise.reject(new Error('not now'))],
  [
    'throws',
    () => {
      throw new Error('not ever')
    },
  ],
])('serves on a bus whose subscribe %s, and tries again for the next socket', async (_, subscribe) => {
  const { one, buses, clock } = twoNodes()
  const works = buses[0].subscribe
  buses[0].subscribe = subscribe
  await one.enter('ann')
  expect(one.lines.map(({ event }) => event)).toContain('subscribe_failed')
  expect(one.core.sizes.subscriptions).toBe(0)
  buses[0].subscribe = works
  await one.enter('ann', { device: deviceOf('tablet') })
  await clock.settle()
  expect(one.core.sizes.subscriptions).toBe(1)
})

it('keeps nothing when everybody has left', async () => {
  const { one, other, clock } = twoNodes()
  for (const round of [1, 2]) {
    const ann = await one.enter('ann', { attempt: round })
    const ben = await other.enter('ben', { attempt: round })
    const bare = other.connectLegacy('ben')
    ann.sendItems('c1', `m${round}`)
    await ben.next('messages')
    await clock.advance(round * 100_000)
    for (const client of [ann, ben, bare]) client.socket.close(1000)
    await clock.advance(9_000)
    // Most come back at once.
    expect(other.core.sizes.subscriptions).toBe(1)
    expect(other.core.sizes.hot).toBe(0)
    await clock.advance(60_000)
    expect(one.empty && other.empty).toBe(true)
  }
})

it('hears nothing after its end', async () => {
  const { one, other, clock } = twoNodes()
  await other.enter('ben')
  await Promise.all([other.core.close({ drainMs: 0 }), clock.advance(1_000)])
  expect(other.core.sizes).toMatchObject({ subscriptions: 0, hot: 0 })
  const ann = await one.enter('ann')
  ann.sendItems('c1', 'm1')
  await clock.advance(1_000)
  expect(other.lines.filter(({ level }) => level === 'error')).toEqual([])
})

it('ignores what is no hint', async () => {
  const local = new LocalBus()
  const server = new TestServer({ bus: local.connect() })
  const ann = await server.enter('ann')
  const stranger = local.connect()
  const frame = { conversation: 'c1', user: 'ben' }
  for (const hint of [
    ...['', '{', 'null', '[]', '{"v":1}', '{"v":2,"node":"x","kind":"revoke","code":4501}'],
    ...[
      { kind: 'entries', conversation: 'c1', seq: 1, items: [{ seq: 1 }] },
      { kind: 'entries', conversation: 'c1', seq: 1, items: 'all' },
      { kind: 'cursor', cursor: { ...frame, delivered: -1, read: 0 } },
      { kind: 'signal', signal: frame },
      { kind: 'device', device: 'x' },
      { kind: 'revoke', code: 1000 },
      { kind: 'later' },
    ].map((hint) => encodeHint(newId(server.clock), hint as never)),
  ])
    stranger.publish('ann', hint)
  await server.clock.advance(1_000)
  expect(server.core.stats.get('hints_bad')).toBe(13)
  expect(ann.frames).toHaveLength(1)
  expect(ann.closed).toBeUndefined()
})
