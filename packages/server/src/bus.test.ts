import { expect, it } from 'vitest'
import { deviceOf, TestServer } from './testing/core-kit.js'
import { twoNodes } from './testing/two-nodes.js'

/** The longest that a sweep may leave somebody without what is in the log, ms: 60 s, 20 % more, and a tick. */
const STALE_MS = 72_200

const range = (to: number) => Array.from({ length: to }, (_, index) => index + 1)

it('pushes what one node stores to the devices on the other, once and in order', async () => {
  const { one, other, clock } = twoNodes()
  const ann = await one.enter('ann')
  const ben = await other.enter('ben')
  const tablet = await other.enter('ann', { device: deviceOf('tablet') })
  const bare = other.connectLegacy('ben')
  for (const n of range(20)) {
    ann.sendItems('c1', `m${n}`, `n${n}`)
    await ann.next('ack', n)
  }
  await clock.advance(100)
  expect(ben.seqs).toEqual(range(40))
  expect(tablet.seqs).toEqual(range(40))
  expect(bare.texts.map((text) => JSON.parse(text).seq)).toEqual(range(40))
  expect(ben.of('behind')).toEqual([])
  // The socket that sent has its ack, and no echo by way of the bus.
  expect(ann.seqs).toEqual([])
})

it('relays marks and typing', async () => {
  const { one, other, clock } = twoNodes()
  const ann = await one.enter('ann')
  const ben = await other.enter('ben')
  ann.sendItems('c1', 'm1')
  await ben.next('messages')
  ben.send({ t: 'cursor', conversation: 'c1', delivered: 1, read: 1 })
  ben.send({ t: 'signal', conversation: 'c1', kind: 'typing', value: true })
  expect(await ann.next('cursor')).toEqual({ t: 'cursor', conversation: 'c1', user: 'ben', delivered: 1, read: 1 })
  await clock.advance(1_000)
  expect(ann.of('signal').filter(({ kind }) => kind === 'typing')).toMatchObject([{ user: 'ben', value: true }])
  expect(ann.of('cursor')).toHaveLength(1)
  expect(ben.of('signal').filter(({ kind }) => kind === 'typing')).toHaveLength(0)
})

it('tells the devices of a user on every node what is unread, and nobody else', async () => {
  const { one, other, clock } = twoNodes()
  const ann = await one.enter('ann')
  const ben = await one.enter('ben')
  const tablet = await other.enter('ben', { device: deviceOf('tablet') })
  ann.sendItems('c1', 'm1', 'm2', 'm3')
  await tablet.next('messages')
  ben.send({ t: 'cursor', conversation: 'c1', read: 3 })
  ben.send({ t: 'cursor', conversation: 'c1', seen: 1 })
  const told = { t: 'cursor', conversation: 'c1', user: 'ben', delivered: 3, read: 3, seen: 1, unread: 2, head: 3 }
  expect(await tablet.next('cursor', 3)).toEqual(told)
  expect(ben.of('cursor').at(-1)).toEqual(told)
  await clock.advance(1_000)
  expect(ann.of('cursor').some((frame) => 'seen' in frame)).toBe(false)
})

it('hands out doubled hints once, and makes devices look where hints came in another order', async () => {
  const { one, other, buses, clock } = twoNodes()
  const ann = await one.enter('ann')
  const ben = await other.enter('ben')
  const bare = other.connectLegacy('ben')
  buses[1].copies = () => 2
  ann.sendItems('c1', 'm1')
  await ben.next('messages')
  buses[1].holding = true
  for (const n of [2, 3]) {
    ann.sendItems('c1', `m${n}`)
    await ann.next('ack', n)
  }
  await clock.advance(100)
  buses[1].release()
  await clock.advance(100)
  expect(ben.seqs).toEqual([1])
  expect(ben.of('behind').at(-1)?.heads[0]?.[1]).toBe(3)
  // A bare client cannot look: it gets each once, even late.
  expect(bare.texts.map((text) => JSON.parse(text).seq)).toEqual([1, 3, 2])
  buses[1].copies = () => 1
  ann.sendItems('c1', 'm4')
  await clock.advance(100)
  expect(ben.seqs).toEqual([1, 4])
})

it('finds within 72 s what a silent bus has not told: entries, marks and new conversations', async () => {
  const { one, other, buses, clock, friends } = twoNodes()
  buses[0].copies = () => 0
  buses[1].copies = () => 0
  const ann = await one.enter('ann')
  const ben = await other.enter('ben')
  const heads = () =>
    ben.of('behind').flatMap((frame) => frame.heads.map(([conversation, head]) => [conversation, head]))
  for (const round of [1, 2, 3]) {
    await clock.advance(7_000 * round)
    ann.sendItems('c1', `m${round}`)
    await ann.next('ack', round)
    await clock.advance(STALE_MS)
    expect(heads()).toEqual(range(round).map((n) => ['c1', n]))
  }
  ann.send({ t: 'cursor', conversation: 'c1', read: 3 })
  await clock.advance(STALE_MS)
  expect(ben.of('behind')).toHaveLength(4)
  expect(ben.of('behind')[3]!.heads[0]![6]).toEqual([['ann', 3, 3]])
  friends.table.set('c2', ['ann', 'ben'])
  await one.core.membershipChanged('c2', ['ann', 'ben'])
  await clock.advance(STALE_MS)
  expect(heads().slice(4)).toEqual([['c2', 0]])
  // Nothing is told twice.
  await clock.advance(10 * STALE_MS)
  expect(ben.of('behind')).toHaveLength(5)
})

it('finds what a server stored and died before it told anybody, without a bus', async () => {
  const server = new TestServer()
  const ben = await server.enter('ben')
  const item = { cid: 'm1', type: 'text', content: 'the last words' }
  await server.store.append([{ conversation: 'c1', from: 'ann', items: [item] }])
  await server.clock.advance(STALE_MS)
  expect(ben.of('behind').map((frame) => frame.heads[0]![1])).toEqual([1])
  await server.clock.advance(10 * STALE_MS)
  expect(ben.of('behind')).toHaveLength(1)
})

it('never looks with sweepMs 0', async () => {
  const server = new TestServer({ limits: { sweepMs: 0 } })
  const ben = await server.enter('ben')
  const item = { cid: 'm1', type: 'text', content: '' }
  await server.store.append([{ conversation: 'c1', from: 'ann', items: [item] }])
  await server.clock.advance(10 * STALE_MS)
  expect(ben.of('behind')).toEqual([])
})

it('does not tell who may not know, and tells them when they may again', async () => {
  const { one, other, buses, clock, friends } = twoNodes()
  buses[1].copies = () => 0
  const ben = await other.enter('ben')
  friends.blocked.add('c1')
  await clock.advance(STALE_MS)
  const item = { cid: 'm1', type: 'text', content: 'stored as the block came' }
  await one.store.append([{ conversation: 'c1', from: 'ann', items: [item] }])
  await clock.advance(3 * STALE_MS)
  expect(ben.of('behind')).toEqual([])
  friends.blocked.delete('c1')
  await one.core.membershipChanged('c1', ['ann', 'ben'])
  await clock.advance(STALE_MS)
  expect(ben.of('behind').map((frame) => frame.heads[0]![1])).toEqual([1])
})

it.each([
  ['mark', { t: 'cursor', conversation: 'c1', delivered: 1 }, 'error'],
  ['page', { t: 'sync', n: 1, conversation: 'c1', after: 0, limit: 200 }, 'page'],
] as const)(
  'tells a device whose %s was refused when another node opened the conversation unheard',
  async (_, ask, answer) => {
    const { one, other, buses, clock, friends } = twoNodes()
    const ann = await one.enter('ann')
    const ben = await other.enter('ben')
    ann.sendItems('c1', 'm1')
    await ben.next('messages')
    friends.blocked.add('c1')
    await other.core.membershipChanged('c1', ['ann', 'ben'])
    await clock.advance(100)
    ben.send(ask)
    expect(JSON.stringify(await ben.next(answer))).toContain('"blocked"')
    buses[0].copies = () => 0
    buses[1].copies = () => 0
    friends.blocked.delete('c1')
    await one.core.membershipChanged('c1', ['ann', 'ben'])
    const before = ben.of('behind').length
    await clock.advance(STALE_MS)
    // The head says what the server knows of its marks, so that it sees what it has to tell.
    expect(ben.of('behind').slice(before)).toHaveLength(1)
    const [conversation, head, , , delivered] = ben.of('behind').at(-1)!.heads[0]!
    expect([conversation, head, delivered]).toEqual(['c1', 1, 0])
    await clock.advance(10 * STALE_MS)
    expect(ben.of('behind')).toHaveLength(before + 1)
  },
)

it('tells a device of a conversation that was closed at its hello, and opened unheard on another node', async () => {
  const { one, other, buses, clock, friends } = twoNodes()
  buses[1].copies = () => 0
  friends.blocked.add('c1')
  const ben = await other.enter('ben')
  friends.blocked.delete('c1')
  await one.core.membershipChanged('c1', ['ann', 'ben'])
  // It comes later than the opening, and is told of it by its welcome.
  const ann = await other.enter('ann')
  ann.sendItems('c1', 'm1')
  await ann.next('ack')
  await clock.advance(100)
  // A push is nothing to a device that does not know the conversation.
  expect(ben.seqs).toEqual([])
  expect(ben.of('behind').map((frame) => frame.heads[0]![1])).toEqual([1])
  ann.sendItems('c1', 'm2')
  expect((await ben.next('messages')).items[0]!.seq).toBe(2)
  await clock.advance(3 * STALE_MS)
  expect(ben.of('behind')).toHaveLength(1)
})

it('goes on looking where the only user has left and come back', async () => {
  const { one, other, buses, clock, friends } = twoNodes()
  buses[1].copies = () => 0
  friends.blocked.add('c1')
  const before = await other.enter('ben')
  before.socket.close(1000)
  // Its subscription still stands.
  await clock.advance(1_000)
  const ben = await other.enter('ben', { attempt: 2 })
  friends.blocked.delete('c1')
  await one.core.membershipChanged('c1', ['ann', 'ben'])
  await clock.advance(STALE_MS)
  expect(ben.of('behind').map(({ heads }) => heads[0]![0])).toEqual(['c1'])
})
