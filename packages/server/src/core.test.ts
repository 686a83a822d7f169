import { KithwireError } from '@kithwire/protocol'
import { describe, expect, it } from 'vitest'
import { TestServer } from './testing/core-kit.js'
import { gate, StoreWrap } from './testing/store-wrap.js'

const text = (cid: string, content = cid) => ({ cid, type: 'text', content })
const failure = (code: string) => expect.objectContaining({ name: 'KithwireError', code })

describe('core', () => {
  it('carries a message from one friend to the other, and acknowledges it', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    const ben = await server.enter('ben')
    ann.sendItems('c1', 'cid-1', 'cid-2')
    const ack = await ann.next('ack')
    expect(ack.items.map(({ cid, seq }) => [cid, seq])).toEqual([
      ['cid-1', 1],
      ['cid-2', 2],
    ])
    expect(ack.refused).toBeUndefined()
    const { items } = await ben.next('messages')
    expect(items).toMatchObject([
      { conversation: 'c1', seq: 1, from: 'ann', to: 'ben', type: 'text', content: 'cid-1', cid: 'cid-1' },
      { seq: 2, id: ack.items[1]!.id, createdAt: ack.items[1]!.at },
    ])
    expect(ann.of('messages')).toEqual([])
  })

  it('keeps nothing after everybody has left', async () => {
    const server = new TestServer()
    const clients = [await server.enter('ann'), await server.enter('ben'), server.connectLegacy('ben')]
    clients[0]!.sendItems('c1', 'cid-1')
    await clients[1]!.next('messages')
    expect([server.core.connections(), server.core.connections('ben'), server.core.connections('cyd')]).toEqual([
      3, 2, 0,
    ])
    for (const client of clients) client.socket.close(1000)
    await server.clock.until(() => server.empty)
    expect(server.core.connections()).toBe(0)
  })

  it('A19 takes users that are called like members of every object', async () => {
    const server = new TestServer()
    server.friends.table.set('c2', ['__proto__', 'constructor'])
    const [one, other] = [await server.enter('__proto__'), await server.enter('constructor')]
    one.sendItems('c2', 'm1')
    expect((await other.next('messages')).items[0]).toMatchObject({ from: '__proto__', to: 'constructor' })
  })

  it('refuses an identity that is none', async () => {
    const server = new TestServer()
    for (const user of ['', 'a\nb', 'x'.repeat(257)]) expect(await server.connect(user).ended()).toBe(4503)
  })
})

describe('core.send', () => {
  it('stores in the name of a member and hands out to all sockets', async () => {
    const server = new TestServer()
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    const [ack] = await server.core.send({ conversation: 'c1', from: 'ann', items: [text('m1')] })
    expect(ack).toMatchObject({ cid: 'm1', seq: 1 })
    for (const client of [ann, ben]) expect((await client.next('messages')).items).toMatchObject([{ id: ack!.id }])
    const again = await server.core.send({ conversation: 'c1', from: 'ann', items: [text('m1')] })
    expect(again).toEqual([{ ...ack, duplicate: true }])
  })

  it.each([
    ['not_found', { from: 'cyd' }],
    ['not_found', { conversation: 'nowhere' }],
    ['bad_field', { items: [] }],
    ['bad_field', { items: [text('not an id!')] }],
    ['too_large', { items: [text('m1', 'x'.repeat(16_385))] }],
    ['cid_conflict', { items: [text('taken', 'other')] }],
  ])('throws %s for %o', async (code, wrong) => {
    const server = new TestServer()
    await server.core.send({ conversation: 'c1', from: 'ann', items: [text('taken')] })
    const send = { conversation: 'c1', from: 'ann', items: [text('m1')], ...wrong }
    await expect(server.core.send(send)).rejects.toEqual(failure(code))
  })

  it('throws blocked where somebody blocked', async () => {
    const server = new TestServer()
    server.friends.blocked.add('c1')
    const send = { conversation: 'c1', from: 'ann', items: [text('m1')] }
    await expect(server.core.send(send)).rejects.toEqual(failure('blocked'))
    await expect(server.core.send(send)).rejects.toBeInstanceOf(KithwireError)
  })
})

describe('core.history', () => {
  it('is for members alone', async () => {
    const server = new TestServer()
    await server.core.send({ conversation: 'c1', from: 'ann', items: [text('m1'), text('m2')] })
    const page = await server.core.history('ben', 'c1', { before: 3, limit: 1_000 })
    expect(page).toMatchObject({ items: [{ seq: 1 }, { seq: 2 }], head: 2, first: 1, more: false })
    expect(await server.core.history('ben', 'c1', { after: 9, limit: 1 })).toMatchObject({
      items: [],
      head: 2,
      more: false,
    })
    for (const [user, conversation] of [
      ['cyd', 'c1'],
      ['ben', 'nowhere'],
    ] as const)
      await expect(server.core.history(user, conversation, { after: 0, limit: 1 })).rejects.toEqual(
        failure('not_found'),
      )
  })
})

describe('core.membershipChanged', () => {
  it('lets a new member hear of the conversation, and nobody else', async () => {
    const server = new TestServer()
    const [ann, cyd] = [await server.enter('ann'), await server.enter('cyd')]
    server.friends.table.set('c2', ['ann', 'cyd'])
    await server.core.membershipChanged('c2', ['ann', 'cyd', 'ben'])
    for (const client of [ann, cyd]) expect((await client.next('behind')).heads[0]?.slice(0, 2)).toEqual(['c2', 0])
    cyd.sendItems('c2', 'm1')
    expect((await cyd.next('ack')).items).toHaveLength(1)
  })

  it('tells a head that is not older than what was stored while it was read', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    const [ann, cyd] = [await server.enter('ann'), await server.enter('cyd')]
    server.friends.table.set('c2', ['ann', 'cyd'])
    const { opened, open } = gate()
    hooks.after.heads = () => opened
    await server.core.membershipChanged('c2', ['ann', 'cyd'])
    await server.clock.settle()
    cyd.sendItems('c2', 'm1')
    expect((await cyd.next('ack')).items).toHaveLength(1)
    open()
    await server.clock.advance(100)
    // The one who wrote it and the one it was pushed to: neither takes an entry of a conversation before its head.
    for (const client of [ann, cyd]) expect(client.of('behind').at(-1)?.heads[0]?.slice(0, 2)).toEqual(['c2', 1])
    expect(ann.of('messages')).toEqual([])
  })

  it('holds at once, also for what waits and for what is being stored', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    const ann = await server.enter('ann')
    const ben = await server.enter('ben')
    const { opened, open } = gate()
    hooks.before.append = () => opened
    ann.sendItems('c1', 'm1')
    await server.clock.advance(100)
    ben.sendItems('c1', 'm2')
    await server.clock.advance(100)
    server.friends.blocked.add('c1')
    let holds = false
    const changed = server.core.membershipChanged('c1', ['ann', 'ben']).then(() => {
      holds = true
    })
    expect((await ben.next('ack')).refused).toMatchObject({ code: 'busy' })
    expect(holds).toBe(false)
    open()
    await changed
    ben.sendItems('c1', 'm2')
    expect((await ben.next('ack', 2)).refused).toMatchObject({ code: 'blocked' })
    expect((await server.store.heads(['c1']))[0]!.head).toBe(1)
  })
})

describe('core.revoke', () => {
  it('closes all sockets of a user at once, and no others', async () => {
    const server = new TestServer()
    const sockets = [await server.enter('ann'), server.connect('ann'), server.connectLegacy('ann')]
    const ben = await server.enter('ben')
    server.core.revoke('ann')
    for (const socket of sockets) expect(await socket.ended()).toBe(4501)
    server.core.revoke('cyd', 4503)
    expect(ben.closed).toBeUndefined()
  })
})

describe('core.close', () => {
  it('says drain, takes sends for a moment, refuses, waits for commits, then closes 1012', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    server.friends.table.set('c2', ['ann', 'cyd'])
    const [ann, ben, old] = [await server.enter('ann'), await server.enter('ben'), server.connectLegacy('cyd')]
    const { opened, open } = gate()
    const closed = server.core.close()
    expect(await ben.next('drain')).toEqual({ t: 'drain', spread: 10_000 })
    await server.clock.advance(1_000)
    hooks.before.append = () => opened
    ann.sendItems('c1', 'm1')
    await server.clock.advance(1_500)
    ann.sendItems('c2', 'm2')
    expect((await ann.next('ack')).refused).toMatchObject({ cid: 'm2', code: 'busy', retry: true })
    expect(await server.connect('dan').ended()).toBe(1012)
    expect(ben.closed).toBeUndefined()
    open()
    expect((await ann.next('ack', 2)).items).toMatchObject([{ cid: 'm1' }])
    for (const client of [ann, ben, old]) expect(await client.ended()).toBe(1012)
    await server.clock.until(() => server.empty)
    await closed
    expect(old.texts).toEqual([])
  })

  it('ends within its time whatever the store and the peers do', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    hooks.before.append = () => new Promise(() => {})
    ann.sendItems('c1', 'm1')
    await server.clock.advance(100)
    ben.socket.stalled = true
    const start = server.clock.monotonic()
    let done = false
    void server.core.close().then(() => {
      done = true
    })
    await server.clock.until(() => done)
    expect(server.clock.monotonic() - start).toBeLessThanOrEqual(25_000)
    expect(await server.core.close()).toBeUndefined()
  })

  it('closes many in waves', async () => {
    const server = new TestServer({ limits: { helloMs: 60_000 } })
    const clients = Array.from({ length: 210 }, (_, index) => server.connect(`u${index}`))
    const times = new Set<number>()
    const closed = server.core.close({ drainMs: 2_000 })
    await server.clock.until(() => {
      times.add(server.core.stats.get('closed_1012') ?? 0)
      return server.empty
    })
    await closed
    expect(clients.every((client) => client.closed?.code === 1012)).toBe(true)
    expect([...times]).toEqual([0, 200, 210])
  })

  it('ends at once when it may take no time, and when nobody is there', async () => {
    const server = new TestServer()
    await server.enter('ann')
    await server.core.close({ drainMs: 0 })
    await server.clock.until(() => server.empty)
    await new TestServer().core.close()
  })
})
