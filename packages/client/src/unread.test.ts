import { expect, it } from 'vitest'
import { MemoryClientStore, type WsRequest } from './index.js'
import { entries, entry, Script, tail } from './testing/script.js'

/** The head of a log whose user has read, and seen, so far. */
const place = (seq: number, read: number, ...rest: [seen: number, unread?: number]) =>
  ['c', seq, 1, 0, seq, read, [['ben', 0, 0]], tail(seq), ...rest] as const

function counts(client: WsRequest) {
  const told: number[] = []
  client.on('unread', ({ unread }) => told.push(unread))
  return told
}

const stateOf = async (client: WsRequest) => (await client.conversations())[0]!

it('is exact on a fresh device, which has none of the entries', async () => {
  const script = new Script()
  const client = script.client()
  const told = counts(client)
  const peer = await script.online([place(100, 60, 60, 31)])
  expect((await stateOf(client)).unread).toBe(31)
  peer.send({ t: 'messages', conversation: 'c', items: [entry(101), entry(102, { from: 'ann' })] })
  await script.clock.advance(0)
  expect(told).toEqual([31, 32])
  // Another device reads half of it: what is left only the server can count.
  peer.send({ t: 'cursor', conversation: 'c', user: 'ann', delivered: 102, read: 80, seen: 80, unread: 17, head: 102 })
  await script.clock.advance(0)
  expect(told.at(-1)).toBe(17)
  await client.markRead('c')
  await script.clock.advance(2_000)
  expect(told.at(-1)).toBe(0)
  expect(peer.of('cursor').at(-1)).toMatchObject({ read: 102 })
})

it('asks for what only the server can count, where that was read elsewhere while this device was away', async () => {
  const script = new Script()
  const client = script.client()
  const told = counts(client)
  const first = await script.online([place(100, 60, 60, 31)])
  first.socket.close(1006)
  const second = await script.online([place(100, 70, 70)], 1)
  expect(await second.next('cursor')).toMatchObject({ seen: 70 })
  second.send({
    t: 'cursor',
    conversation: 'c',
    user: 'ann',
    delivered: 100,
    read: 70,
    seen: 70,
    unread: 23,
    head: 100,
  })
  await script.clock.advance(5_000)
  expect(told.at(-1)).toBe(23)
  expect(second.of('cursor')).toHaveLength(1)
})

it('is exact while offline, and after it', async () => {
  const script = new Script()
  const client = script.client()
  const told = counts(client)
  const first = await script.online([place(0, 0, 0, 0)])
  first.send({ t: 'messages', conversation: 'c', items: entries(1, 5) })
  await script.clock.advance(0)
  first.socket.close(1006)
  await client.markRead('c', 3)
  await script.clock.settle()
  expect(told).toEqual([0, 5, 2])
  const second = await script.online([place(8, 0, 0)], 1)
  second.send({ t: 'messages', conversation: 'c', items: entries(6, 8) })
  await script.clock.advance(3_000)
  expect(told.at(-1)).toBe(5)
  expect(second.of('cursor')).toMatchObject([{ read: 3 }, { delivered: 8 }])
})

it('sets back what was seen, on this device at once and on the others by the server, also from offline', async () => {
  const script = new Script()
  const client = script.client()
  const told = counts(client)
  const first = await script.online([place(0, 0, 0, 0)])
  first.send({ t: 'messages', conversation: 'c', items: entries(1, 6) })
  await script.clock.advance(0)
  await client.markRead('c')
  await script.clock.advance(3_000)
  first.socket.close(1006)
  await client.markUnread('c', 5)
  await script.clock.settle()
  expect([told.at(-1), (await stateOf(client)).read]).toEqual([2, 6])
  // The server does not know yet; a mark that it repeats takes nothing back.
  const second = await script.online([place(6, 6, 6, 0)], 1)
  expect(await second.next('cursor')).toMatchObject({ seen: 4 })
  expect(told.at(-1)).toBe(2)
  second.send({ t: 'cursor', conversation: 'c', user: 'ann', delivered: 6, read: 6, seen: 4, unread: 2, head: 6 })
  await script.clock.advance(5_000)
  expect((await stateOf(client)).unsaid).toBe(false)
  await client.markRead('c')
  await script.clock.advance(2_000)
  expect(second.of('cursor').map(({ seen }) => seen)).toEqual([4, 6])
  expect(told.at(-1)).toBe(0)
})

it('follows what another device sets, in every tab', async () => {
  const script = new Script()
  const store = new MemoryClientStore()
  const tabs = [script.client({ store }), script.client({ store })].map(counts)
  const peer = await script.online([place(0, 0, 0, 0)])
  peer.send({ t: 'messages', conversation: 'c', items: entries(1, 4) })
  const own = { t: 'cursor', conversation: 'c', user: 'ann', delivered: 4, read: 4, head: 4 } as const
  peer.send({ ...own, seen: 4, unread: 0 })
  peer.send({ ...own, seen: 1, unread: 3 })
  // What else is told of its marks changes nothing of it.
  peer.send({ t: 'cursor', conversation: 'c', user: 'ann', delivered: 4, read: 4 })
  await script.clock.advance(0)
  expect(tabs.map((told) => told.at(-1))).toEqual([3, 3])
  expect(tabs[0]).toEqual(tabs[1])
})
