import { describe, expect, it } from 'vitest'
import { deviceOf, TestServer } from '../testing/core-kit.js'
import { gate, StoreWrap } from '../testing/store-wrap.js'

/** A server whose `c1` has `count` entries by ann, and their ids. */
async function withLog(count: number, hooks = new StoreWrap()) {
  const server = new TestServer({ wrap: hooks.wrap })
  const ids: string[] = []
  for (let index = 1; index <= count; index++) {
    const items = [{ cid: `m${index}`, type: 'text', content: `${index}` }]
    ids.push((await server.core.send({ conversation: 'c1', from: 'ann', items }))[0]!.id)
  }
  return { server, hooks, ids, tail: (seq: number) => ids[seq - 1]!.slice(-8) }
}

describe('hello', () => {
  it('is answered with who and where the user is, first of all', async () => {
    const { server, tail } = await withLog(3)
    const ben = await server.enter('ben')
    expect(ben.frames[0]).toMatchObject({
      t: 'welcome',
      user: 'ben',
      epoch: await server.store.epoch(),
      now: server.clock.now(),
      heartbeat: 25_000,
      limits: { frame: 65_536, content: 16_384, rate: 10, burst: 40, inflight: 64 },
      heads: [['c1', 3, 1, 0, 0, 0, [['ann', 0, 0]], tail(3), 0, 3]],
      capabilities: [],
    })
    expect(ben.of('messages')).toEqual([])
  })

  it('has heads of at most 500 in a frame', async () => {
    const server = new TestServer()
    for (let index = 0; index < 1_100; index++) server.friends.table.set(`x${index}`, ['ann', `u${index}`])
    const ann = await server.enter('ann')
    await ann.next('welcome', 3)
    expect(ann.of('welcome').map(({ heads, more }) => [heads.length, more])).toEqual([
      [500, true],
      [500, true],
      [101, undefined],
    ])
  })

  it('is one hello in chunks', async () => {
    const { server, tail } = await withLog(3)
    server.friends.table.set('c2', ['ben', 'cyd'])
    const ben = server.connect('ben')
    const chunk = { t: 'hello', device: deviceOf('ben'), attempt: 1 }
    ben.send({ ...chunk, cursors: [['c1', 1, tail(1)]], more: true })
    await server.clock.advance(1_000)
    expect(ben.frames).toEqual([])
    ben.send({ ...chunk, cursors: [['c2', 0, '']] })
    await ben.next('welcome')
    expect((await ben.next('messages')).items.map(({ seq }) => seq)).toEqual([2, 3])
  })

  it('R9 streams up to two pages and leaves the rest to the client', async () => {
    const { server, tail } = await withLog(500)
    const ben = await server.enter('ben', { cursors: [['c1', 10, tail(10)]] })
    await server.clock.advance(1_000)
    expect(ben.seqs).toEqual(Array.from({ length: 400 }, (_, index) => index + 11))
  })

  it('streams from several conversations, within the same two pages', async () => {
    const server = new TestServer()
    const names = Array.from({ length: 50 }, (_, index) => `x${index}`)
    for (const conversation of names) {
      server.friends.table.set(conversation, ['ann', 'ben'])
      const items = Array.from({ length: 15 }, (_, index) => ({ cid: `m${index}`, type: 'text', content: 'x' }))
      await server.core.send({ conversation, from: 'ann', items })
    }
    const ben = await server.enter('ben', { cursors: names.map((conversation) => [conversation, 0, '']) })
    await server.clock.advance(1_000)
    expect(ben.seqs.length).toBe(400)
    expect(ben.of('messages').length).toBe(27)
  })

  it('ignores cursors of conversations that are not the user\u2019s', async () => {
    const { server } = await withLog(3)
    const cyd = await server.enter('cyd', {
      cursors: [
        ['c1', 0, ''],
        ['nowhere', 5, ''],
      ],
    })
    await server.clock.advance(1_000)
    expect(cyd.frames).toHaveLength(1)
    expect(cyd.of('welcome')[0]!.heads).toEqual([])
  })

  it.each([
    ['beyond the head', 9, 'aaaaaaaa', 3],
    ['at the head with another tail', 3, 'aaaaaaaa', 2],
    ['below the head with another tail', 2, 'aaaaaaaa', 1],
    ['at the first entry with another tail', 1, 'aaaaaaaa', 0],
  ])('answers a cursor %s with a reset', async (_name, seq, tail, to) => {
    const { server, ids } = await withLog(3)
    const ben = await server.enter('ben', { cursors: [['c1', seq, tail]] })
    const page = await ben.next('page')
    expect(page).toEqual({ t: 'page', conversation: 'c1', reset: { to, id: to === 0 ? '' : ids[to - 1] } })
    await server.clock.advance(1_000)
    expect(ben.of('messages')).toEqual([])
    expect(await server.store.marks(['c1'])).toEqual([])
  })

  it('counts confirmed cursors as delivered and tells the others', async () => {
    const { server, tail } = await withLog(3)
    const ann = await server.enter('ann')
    const ben = await server.enter('ben', { cursors: [['c1', 3, tail(3)]] })
    expect(ben.of('welcome')[0]!.heads[0]!.slice(4, 6)).toEqual([3, 0])
    expect(await ann.next('cursor')).toEqual({ t: 'cursor', conversation: 'c1', user: 'ben', delivered: 3, read: 0 })
    await server.enter('ben', { cursors: [['c1', 3, tail(3)]], attempt: 2 })
    await server.clock.advance(1_000)
    expect(ann.of('cursor')).toHaveLength(1)
  })

  it('registers for pushes before it reads heads: what comes in between is told as behind', async () => {
    const { server, hooks } = await withLog(1)
    const ann = await server.enter('ann')
    const { opened, open } = gate()
    hooks.after.heads = () => opened
    const ben = server.connect('ben')
    ben.send({ t: 'hello', device: deviceOf('ben'), attempt: 1 })
    await server.clock.advance(100)
    ann.sendItems('c1', 'late')
    await ann.next('ack')
    hooks.after = {}
    open()
    expect((await ben.next('behind')).heads[0]?.slice(0, 2)).toEqual(['c1', 2])
    expect(ben.frames.map(({ t }) => t)).toEqual(['welcome', 'behind'])
    expect(ben.of('welcome')[0]!.heads[0]![1]).toBe(1)
  })

  it('holds what a hasty client sends before welcome', async () => {
    const server = new TestServer()
    const ann = server.connect('ann')
    ann.send({ t: 'hello', device: deviceOf('ann'), attempt: 1 })
    ann.sendItems('c1', 'm1')
    await ann.next('ack')
    expect(ann.frames.map(({ t }) => t)).toEqual(['welcome', 'ack'])
  })

  it('compares a cursor below what retention has left', async () => {
    const { server, tail } = await withLog(5)
    const known = tail(2)
    await server.store.retain('c1', 4)
    const other = await server.enter('ben', { device: deviceOf('other'), cursors: [['c1', 2, 'aaaaaaaa']] })
    expect(await other.next('page')).toMatchObject({ conversation: 'c1', reset: { to: 1, id: '' } })
    expect(await server.store.marks(['c1'])).toEqual([])
    const same = await server.enter('ben', { device: deviceOf('same'), cursors: [['c1', 2, known]] })
    await server.clock.advance(1_000)
    // Confirmed, so it counts as delivered; the gap behind it is for the device to find.
    expect(same.of('welcome')[0]!.heads[0]!.slice(0, 6)).toEqual(['c1', 5, 4, 0, 2, 0])
    expect([...same.of('page'), ...same.of('messages')]).toEqual([])
    expect(await server.store.marks(['c1'])).toMatchObject([{ user: 'ben', delivered: 2 }])
  })

  it('streams nothing of a conversation that was closed while its log was read', async () => {
    const { server, hooks, tail } = await withLog(3)
    const { opened, open } = gate()
    hooks.before.read = () => opened
    const ben = server.connect('ben')
    ben.send({ t: 'hello', device: 'o'.repeat(22), attempt: 1, cursors: [['c1', 1, tail(1)]] })
    await server.clock.advance(0)
    server.friends.blocked.add('c1')
    await server.core.membershipChanged('c1', ['ann', 'ben'])
    open()
    await ben.next('welcome')
    await server.clock.advance(100)
    expect(ben.of('messages')).toEqual([])
  })

  it('ends 1011 when the store cannot answer, and keeps nothing', async () => {
    const { server, hooks } = await withLog(1)
    hooks.before.heads = () => Promise.reject(new Error('down'))
    const ben = server.connect('ben')
    ben.send({ t: 'hello', device: deviceOf('ben'), attempt: 1 })
    expect(await ben.ended()).toBe(1011)
    await server.clock.until(() => server.empty)
  })
})

describe('two sessions of a device', () => {
  it('leave the one with the higher attempt, whichever says hello first', async () => {
    const server = new TestServer()
    const old = await server.enter('ann', { attempt: 1 })
    const next = await server.enter('ann', { attempt: 2 })
    expect(await old.ended()).toBe(4009)
    const overtaken = server.connect('ann')
    overtaken.send({ t: 'hello', device: deviceOf('ann'), attempt: 1 })
    expect(await overtaken.ended()).toBe(4009)
    expect(overtaken.frames).toEqual([])
    expect(next.closed).toBeUndefined()
  })

  it('A14, Q18 live side by side with the same attempt, of other users or other devices', async () => {
    const server = new TestServer()
    const clients = [
      await server.enter('ann', { attempt: 2 }),
      await server.enter('ann', { attempt: 2 }),
      await server.enter('ann', { attempt: 1, device: deviceOf('other') }),
      await server.enter('ben', { attempt: 1, device: deviceOf('ann') }),
    ]
    await server.clock.advance(1_000)
    expect(clients.map(({ closed }) => closed)).toEqual(clients.map(() => undefined))
    expect(new Set(clients.map((client) => client.of('welcome')[0]!.session)).size).toBe(4)
  })

  it('drop what the older one has queued and wait for what is in the store', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    server.friends.table.set('c2', ['ann', 'cyd'])
    const old = await server.enter('ann')
    const { opened, open } = gate()
    hooks.before.append = () => opened
    old.sendItems('c1', 'stored')
    await server.clock.advance(100)
    old.sendItems('c2', 'queued')
    await server.clock.advance(100)
    const next = server.connect('ann')
    next.send({ t: 'hello', device: deviceOf('ann'), attempt: 2 })
    await server.clock.advance(1_000)
    expect(next.frames).toEqual([])
    open()
    const { heads } = await next.next('welcome')
    expect(heads.map(([conversation, head]) => [conversation, head])).toEqual([
      ['c1', 1],
      ['c2', 0],
    ])
  })
})
