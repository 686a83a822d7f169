import { PROTOCOL_LIMITS } from '@kithwire/protocol'
import { expect, it, vi } from 'vitest'
import { MemoryClientStore } from './index.js'
import { entries, entry, head, Script, tail } from './testing/script.js'

function listening(options: Parameters<Script['client']>[0] = {}, script = new Script()) {
  const client = script.client(options)
  const seen: number[] = []
  client.onMessage((message) => void seen.push(message.seq))
  return { script, client, seen }
}

it('starts at the head of its first welcome, with the tail there, before it sends anything', async () => {
  const { script, client, seen } = listening()
  void client.send({ conversation: 'c', content: 'x' })
  const first = await script.online([head(7)])
  await first.next('send')
  first.socket.close(1006)
  const hello = await (await script.peer(1)).next('hello')
  expect(hello.cursors).toEqual([['c', 7, tail(7)]])
  expect(seen).toEqual([])
})

it('starts at `joined` in a conversation that appears later', async () => {
  const { script, client, seen } = listening()
  const behind = vi.fn()
  client.on('behind', behind)
  const peer = await script.online([head(3)])
  peer.send({ t: 'messages', conversation: 'd', items: [entry(5, { conversation: 'd' })] })
  peer.send({ t: 'behind', heads: [head(5, { conversation: 'd', joined: 3 })] })
  const sync = await peer.next('sync')
  expect(sync).toMatchObject({ conversation: 'd', after: 3 })
  const items = entries(4, 5).map((item) => ({ ...item, conversation: 'd' }))
  peer.send({ t: 'page', re: sync.n, conversation: 'd', items, head: 5, first: 1, more: false })
  await script.clock.advance(0)
  expect(seen).toEqual([4, 5])
  expect(behind).toHaveBeenCalledWith(['d'])
})

it('drops what it has, applies the next, holds what is above a hole, and asks once', async () => {
  const { script, seen } = listening()
  const peer = await script.online([head(2)])
  for (const seq of [2, 3, 6, 5, 3, 8]) peer.send({ t: 'messages', conversation: 'c', items: [entry(seq)] })
  await script.clock.advance(200)
  expect(seen).toEqual([3])
  expect(peer.of('sync')).toMatchObject([{ after: 3, tail: tail(3) }])
  const page = { t: 'page', re: peer.of('sync')[0]!.n, conversation: 'c', head: 8, first: 1 } as const
  peer.send({ ...page, items: entries(4, 7), more: true })
  await script.clock.advance(1_000)
  expect(seen).toEqual([3, 4, 5, 6, 7, 8])
  expect(peer.of('sync')).toHaveLength(1)
})

it('passes over what retention took up to what came while it asked', async () => {
  const { script, seen } = listening()
  const peer = await script.online([head(0)])
  peer.send({ t: 'behind', heads: [head(7)] })
  const first = await peer.next('sync')
  peer.send({ t: 'messages', conversation: 'c', items: [entry(8)] })
  await script.clock.advance(0)
  // Read before the entry was stored, and after all that was there had been taken.
  peer.send({ t: 'page', re: first.n, conversation: 'c', items: [], head: 7, first: 8, more: false })
  await script.clock.advance(5_000)
  expect(seen).toEqual([8])
})

it('asks again when it became a member again while a refusal was on its way', async () => {
  const { script, seen } = listening()
  const peer = await script.online([head(0)])
  peer.send({ t: 'messages', conversation: 'c', items: [entry(2)] })
  const first = await peer.next('sync')
  peer.send({ t: 'behind', heads: [head(2)] })
  await script.clock.advance(0)
  const refused = { code: 'not_found', retry: false } as const
  peer.send({ t: 'page', re: first.n, conversation: 'c', refused })
  await script.clock.advance(5_000)
  const second = peer.of('sync')[1]!
  expect(second).toMatchObject({ conversation: 'c', after: 0 })
  // Refused with nothing new: it waits until somebody tells.
  peer.send({ t: 'page', re: second.n, conversation: 'c', refused })
  await script.clock.advance(20_000)
  expect(peer.of('sync')).toHaveLength(2)
  peer.send({ t: 'behind', heads: [head(2)] })
  await script.clock.advance(1_000)
  const third = peer.of('sync')[2]!
  peer.send({ t: 'page', re: third.n, conversation: 'c', items: entries(1, 2), head: 2, first: 1, more: false })
  await script.clock.advance(0)
  expect(seen).toEqual([1, 2])
})

it('holds at most 256 entries', async () => {
  const { script, seen } = listening()
  const peer = await script.online([head(0)])
  const last = PROTOCOL_LIMITS.held + 60
  for (let seq = 2; seq <= last; seq++) peer.send({ t: 'messages', conversation: 'c', items: [entry(seq)] })
  const first = await peer.next('sync')
  peer.send({ t: 'page', re: first.n, conversation: 'c', items: [entry(1)], head: last, first: 1, more: true })
  const second = await peer.next('sync')
  expect(second.after).toBe(PROTOCOL_LIMITS.held + 1)
  peer.send({
    t: 'page',
    re: second.n,
    conversation: 'c',
    items: entries(second.after! + 1, last),
    head: last,
    first: 1,
    more: false,
  })
  await script.clock.advance(0)
  expect(seen).toEqual(entries(1, last).map((item) => item.seq))
})

it('forgets at each welcome what it held: the log may have been restored', async () => {
  const { script, seen } = listening()
  const first = await script.online([head(2)])
  first.send({ t: 'messages', conversation: 'c', items: [entry(4, { content: 'of the log before' })] })
  await script.clock.advance(0)
  first.socket.close(1006)
  const second = await script.online([head(2)], 1)
  second.send({ t: 'messages', conversation: 'c', items: [entry(3)] })
  await script.clock.advance(2_000)
  expect(seen).toEqual([3])
})

it('goes over entries that the server has no more, and says so', async () => {
  const { script, client, seen } = listening()
  const gap = vi.fn()
  client.on('gap', gap)
  const first = await script.online([head(2)])
  first.socket.close(1006)
  const second = await script.online([head(9, { first: 8 })], 1)
  const sync = await second.next('sync')
  second.send({ t: 'page', re: sync.n, conversation: 'c', items: entries(8, 9), head: 9, first: 8, more: false })
  await script.clock.advance(0)
  expect(gap).toHaveBeenCalledExactlyOnceWith({ conversation: 'c', from: 3, to: 7 })
  expect(seen).toEqual([8, 9])
})

it('knows a log again of which it has passed over the end', async () => {
  const { script, seen } = listening()
  const first = await script.online([head(2)])
  first.socket.close(1006)
  const second = await script.online([head(4, { first: 5 })], 1)
  const { n: re } = await second.next('sync')
  second.send({ t: 'page', re, conversation: 'c', items: [], head: 4, first: 5, tail: tail(4), more: false })
  await script.clock.advance(0)
  second.socket.close(1006)
  // A backup was brought back, of before the third entry, and others were written since.
  const third = await script.peer(2)
  expect((await third.next('hello')).cursors).toEqual([['c', 4, tail(4)]])
  third.welcome([head(4, { tail: 'another' })])
  expect(await third.next('sync')).toMatchObject({ after: 2, tail: tail(2) })
  expect(seen).toEqual([])
})

it('has at most 4 syncs under way', async () => {
  const { script } = listening()
  const conversations = Array.from({ length: 9 }, (_, index) => `c${index}`)
  const first = await script.online(conversations.map((conversation) => head(1, { conversation })))
  first.socket.close(1006)
  const second = await script.online(
    conversations.map((conversation) => head(2, { conversation })),
    1,
  )
  await script.clock.advance(1_000)
  expect(second.of('sync')).toHaveLength(PROTOCOL_LIMITS.syncs)
  const { n, conversation } = second.of('sync')[0]!
  second.send({ t: 'page', re: n, conversation, items: [entry(2, { conversation })], head: 2, first: 1, more: false })
  await script.clock.advance(10)
  expect(second.of('sync')).toHaveLength(PROTOCOL_LIMITS.syncs + 1)
})

it('asks again after a refusal that passes, and not after one that lasts', async () => {
  const { script, seen } = listening()
  const peer = await script.online([head(0), head(0, { conversation: 'd' })])
  peer.send({ t: 'messages', conversation: 'c', items: [entry(2)] })
  const first = await peer.next('sync')
  peer.send({ t: 'page', re: first.n, conversation: 'c', refused: { code: 'store_unavailable', retry: true } })
  const again = await peer.next('sync')
  peer.send({ t: 'page', re: again.n, conversation: 'c', items: entries(1, 2), head: 2, first: 1, more: false })
  peer.send({ t: 'messages', conversation: 'd', items: [entry(2, { conversation: 'd' })] })
  const other = await peer.next('sync')
  peer.send({ t: 'page', re: other.n, conversation: 'd', refused: { code: 'not_found', retry: false } })
  await script.clock.advance(20_000)
  expect(seen).toEqual([1, 2])
  expect(peer.of('sync')).toHaveLength(3)
})

it('tells what it has got at most once a second per conversation, and after a welcome what is not known there', async () => {
  const { script, client } = listening()
  const first = await script.online([head(0)])
  for (let seq = 1; seq <= 3; seq++) {
    first.send({ t: 'messages', conversation: 'c', items: [entry(seq)] })
    await script.clock.advance(100)
  }
  expect(first.of('cursor')).toMatchObject([{ delivered: 1 }])
  await client.markRead('c', 2)
  await script.clock.advance(1_000)
  expect(first.of('cursor')).toMatchObject([{ delivered: 1 }, { delivered: 3, read: 2 }])
  first.socket.close(1006)
  const second = await script.online([head(3)], 1)
  await script.clock.advance(2_000)
  expect(second.of('cursor')).toMatchObject([{ conversation: 'c', delivered: 3, read: 2 }])
})

it('relays marks, and typing, of others', async () => {
  const { script, client } = listening()
  const marks = vi.fn()
  const signal = vi.fn()
  const read = vi.fn()
  client.on('marks', marks)
  client.on('signal', signal)
  client.on('read', read)
  const peer = await script.online([head(3)])
  peer.send({ t: 'cursor', conversation: 'c', user: 'ben', delivered: 3, read: 1 })
  peer.send({ t: 'cursor', conversation: 'c', user: 'ben', delivered: 2 })
  peer.send({ t: 'cursor', conversation: 'c', user: 'ann', read: 2 })
  peer.send({ t: 'signal', conversation: 'c', user: 'ben', kind: 'typing', value: true })
  await script.clock.advance(0)
  expect(marks).toHaveBeenLastCalledWith({ conversation: 'c', marks: [['ben', 3, 1]] })
  expect(read).toHaveBeenLastCalledWith({ conversation: 'c', seq: 2 })
  expect(signal).toHaveBeenCalledWith({ conversation: 'c', user: 'ben', kind: 'typing', value: true })
  client.typing('c', true)
  await script.clock.advance(0)
  expect(peer.of('signal')).toMatchObject([{ kind: 'typing', value: true }])
})

it('splits a hello of many conversations into chunks below the limit of a frame', async () => {
  const store = new MemoryClientStore()
  const many = Array.from({ length: 2_000 }, (_, index) => `conversation-with-a-long-name-${index}`)
  const { script } = listening({ store })
  const first = await script.peer()
  await first.next('hello')
  first.welcome(
    many.slice(0, 500).map((conversation) => head(1, { conversation })),
    { more: true },
  )
  first.welcome(
    many.slice(500, 1_000).map((conversation) => head(1, { conversation })),
    { more: true },
  )
  first.welcome(
    many.slice(1_000, 1_500).map((conversation) => head(1, { conversation })),
    { more: true },
  )
  first.welcome(many.slice(1_500).map((conversation) => head(1, { conversation })))
  await script.clock.advance(0)
  first.socket.close(1006)
  const second = await script.peer(1)
  await second.clock.until(() => second.of('hello').some((hello) => !hello.more))
  const hellos = second.of('hello')
  expect(hellos.length).toBeGreaterThan(1)
  expect(hellos.map((hello) => hello.more ?? false)).toEqual(hellos.map((_, index) => index < hellos.length - 1))
  expect(hellos.flatMap((hello) => hello.cursors ?? [])).toHaveLength(2_000)
  for (const text of second.client.sent) expect(text.length).toBeLessThanOrEqual(65_536)
})

it('takes an answer of another kind for one that cannot be read', async () => {
  const { script, seen } = listening()
  const peer = await script.online([head(0)])
  peer.send({ t: 'messages', conversation: 'c', items: [entry(2)] })
  const { n } = await peer.next('sync')
  peer.send({ t: 'ack', re: n, conversation: 'c', items: [], refused: { cid: 'x', code: 'busy', retry: true } })
  await script.clock.advance(1_000)
  expect(script.errors).toEqual([])
  peer.send({ t: 'messages', conversation: 'c', items: [entry(1)] })
  await script.clock.advance(1_000)
  expect(seen).toEqual([1, 2])
})
