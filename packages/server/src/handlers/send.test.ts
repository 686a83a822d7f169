import { type ClientFrame, encode, type SocketLike, type SocketListener } from '@kithwire/protocol'
import { describe, expect, it } from 'vitest'
import { deviceOf, TestServer } from '../testing/core-kit.js'
import { gate, StoreWrap } from '../testing/store-wrap.js'

const cidsOf = (items: readonly { cid: string }[]) => items.map(({ cid }) => cid)

describe('send', () => {
  it('reaches every other socket of every member, and nobody else', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    const annPhone = await server.enter('ann', { device: deviceOf('phone') })
    const bens = [await server.enter('ben'), await server.enter('ben', { device: deviceOf('ben2') })]
    const cyd = await server.enter('cyd')
    ann.sendItems('c1', 'm1')
    for (const client of [annPhone, ...bens]) expect((await client.next('messages')).items).toHaveLength(1)
    await server.clock.advance(1_000)
    expect([ann.of('messages'), cyd.of('messages')]).toEqual([[], []])
  })

  it('acknowledges nothing before it is durable', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    const { opened, open } = gate()
    hooks.after.append = () => opened
    ann.sendItems('c1', 'm1')
    await server.clock.advance(2_000)
    expect([ann.of('ack'), ben.of('messages')]).toEqual([[], []])
    open()
    await ann.next('ack')
    await ben.next('messages')
  })

  it('answers a cid that comes again with the original, and makes no second entry', async () => {
    const server = new TestServer()
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    ann.sendItems('c1', 'm1')
    const first = await ann.next('ack')
    ann.sendItems('c1', 'm1', 'm2')
    const second = await ann.next('ack', 2)
    expect(second.items).toMatchObject([
      { ...first.items[0], duplicate: true },
      { cid: 'm2', seq: 2 },
    ])
    await server.clock.advance(1_000)
    expect(ben.seqs).toEqual([1, 2])
    // The original may never have been handed out.
    expect(ben.of('behind').at(-1)?.heads[0]?.slice(0, 2)).toEqual(['c1', 2])
  })

  it('Q2 refuses other content under the same cid, after the prefix', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    ann.sendItems('c1', 'm1')
    await ann.next('ack')
    const items = [
      { cid: 'm0', type: 'text', content: 'new' },
      { cid: 'm1', type: 'text', content: 'other' },
      { cid: 'm2', type: 'text', content: 'never tried' },
    ]
    ann.send({ t: 'send', n: 9, conversation: 'c1', items })
    const { items: stored, refused } = await ann.next('ack', 2)
    expect([cidsOf(stored), refused]).toEqual([['m0'], { cid: 'm1', code: 'cid_conflict', retry: false }])
    const { items: log } = await server.core.history('ann', 'c1', { after: 0, limit: 10 })
    expect(cidsOf(log)).toEqual(['m1', 'm0'])
  })

  it('refuses a conversation that is not the sender\u2019s as one that does not exist', async () => {
    const server = new TestServer()
    const cyd = await server.enter('cyd')
    cyd.sendItems('c1', 'm1')
    cyd.sendItems('nowhere', 'm1')
    const refused = [(await cyd.next('ack', 1)).refused, (await cyd.next('ack', 2)).refused]
    expect(refused).toEqual(Array(2).fill({ cid: 'm1', code: 'not_found', retry: false }))
  })

  it('stores the valid prefix and refuses the item behind it', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    const text = (cid: string, content: string) => ({ cid, type: 'text', content })
    const sends = [
      [text('m1', 'fine'), text('m2', 'x'.repeat(16_385)), text('m3', 'not tried')],
      [text('m4', ''), text('m5', 'not tried')],
      [{ cid: 'm6', type: 'file', content: 'javascript:alert(1)' }],
      [{ cid: 'm7', type: 'file', content: 'https://elsewhere.example/x.png' }],
      [{ cid: 'm8', type: 'file', content: '/files/x.png' }],
      [text('../', 'x')],
    ]
    for (const [index, items] of sends.entries()) {
      ann.send({ t: 'send', n: index, conversation: 'c1', items })
      await ann.next('ack', index + 1)
    }
    expect(ann.of('ack').map(({ items, refused }) => [cidsOf(items), refused?.cid, refused?.code])).toEqual([
      [['m1'], 'm2', 'too_large'],
      [[], 'm4', 'bad_field'],
      [[], 'm6', 'bad_field'],
      [[], 'm7', 'bad_field'],
      [['m8'], undefined, undefined],
      [[], '', 'bad_field'],
    ])
  })

  it('charges the rate per item in order and says when to try the rest', async () => {
    const server = new TestServer({ limits: { rate: 10, burst: 5 } })
    const ann = await server.enter('ann')
    ann.sendItems('c1', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7')
    const { items, refused } = await ann.next('ack')
    expect([items.length, refused]).toEqual([5, { cid: 'm6', code: 'rate_limited', retry: true, after: 200 }])
    await server.clock.advance(200)
    ann.sendItems('c1', 'm6', 'm7')
    expect((await ann.next('ack', 2)).items).toHaveLength(2)
  })

  it('refuses a second send of a conversation while one is in flight', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    server.friends.table.set('c2', ['ann', 'cyd'])
    const ann = await server.enter('ann')
    const { opened, open } = gate()
    hooks.before.append = () => opened
    ann.sendItems('c1', 'm1')
    ann.sendItems('c1', 'm2')
    ann.sendItems('c2', 'm3')
    expect(await ann.next('ack')).toMatchObject({ re: 2, items: [], refused: { cid: 'm2', code: 'busy', retry: true } })
    open()
    await ann.next('ack', 3)
    expect(
      ann
        .of('ack')
        .flatMap(({ items }) => cidsOf(items))
        .sort(),
    ).toEqual(['m1', 'm3'])
  })

  it('takes the next send in the very turn of an acknowledgement', async () => {
    const server = new TestServer({ limits: { burst: 1_000 } })
    const acks: string[] = []
    let listener: SocketListener | undefined
    const say = (frame: ClientFrame) => listener!.message(encode(frame))
    const send = (n: number) =>
      say({ t: 'send', n, conversation: 'c1', items: [{ cid: `m${n}`, type: 'text', content: 'x' }] })
    const socket: SocketLike = {
      protocol: 'kithwire.v1',
      bufferedAmount: 0,
      listen: (given) => {
        listener = given
      },
      send: (text) => {
        if (text.includes('"ack"')) acks.push(text)
        void Promise.resolve().then(() => acks.length < 100 && send(acks.length))
      },
      close() {},
      terminate() {},
    }
    server.core.accept(socket, { user: 'ann' })
    say({ t: 'hello', device: deviceOf('ann'), attempt: 1 })
    await server.clock.until(() => acks.length === 100)
    expect(acks.filter((text) => text.includes('refused'))).toEqual([])
  })

  it('refuses busy what waits too long for the store', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    server.friends.table.set('c2', ['ann', 'cyd'])
    const ann = await server.enter('ann')
    const { opened, open } = gate()
    hooks.before.append = () => opened
    ann.sendItems('c1', 'm1')
    await server.clock.advance(1_000)
    ann.sendItems('c2', 'm2')
    expect((await ann.next('ack')).refused).toMatchObject({ cid: 'm2', code: 'busy' })
    open()
    expect((await ann.next('ack', 2)).items).toHaveLength(1)
  })

  it('does not store what still waits when its socket ends', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    server.friends.table.set('c2', ['ann', 'cyd'])
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    const { opened, open } = gate()
    hooks.before.append = () => opened
    ann.sendItems('c1', 'm1')
    await server.clock.advance(100)
    ann.sendItems('c2', 'm2')
    await server.clock.advance(100)
    ann.socket.terminate()
    await server.clock.advance(100)
    open()
    await ben.next('messages')
    await server.clock.advance(1_000)
    expect((await server.store.heads(['c1', 'c2'])).map(({ head }) => head)).toEqual([1, 0])
  })

  it('does not store what was still being authorized when its socket ended', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    const { opened, open } = gate()
    server.friends.members = async () => {
      await opened
      return ['ann', 'ben']
    }
    ann.sendItems('c1', 'm1')
    await server.clock.advance(100)
    await server.enter('ann', { attempt: 2 })
    open()
    await server.clock.advance(1_000)
    expect((await server.store.heads(['c1']))[0]!.head).toBe(0)
  })

  it('acknowledges as a duplicate what was stored, whatever would refuse it now', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    ann.sendItems('c1', 'm1')
    const { items } = await ann.next('ack')
    server.friends.blocked.add('c1')
    await server.core.membershipChanged('c1', ['ann', 'ben'])
    ann.sendItems('c1', 'm1', 'm2')
    const answer = await ann.next('ack', 2)
    expect(answer.items).toEqual([{ ...items[0], duplicate: true }])
    expect(answer.refused).toEqual({ cid: 'm2', code: 'blocked', retry: false })
  })

  it('looks a cid up behind what the device has on its way to the store', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    const ann = await server.enter('ann')
    // The same device twice, as with a replayed hello: the older socket's append is still under way.
    const again = await server.enter('ann')
    const { opened, open } = gate()
    hooks.before.append = () => opened
    ann.sendItems('c1', 'm1')
    await server.clock.advance(100)
    server.friends.blocked.add('c1')
    void server.core.membershipChanged('c1', [])
    again.sendItems('c1', 'm1')
    await server.clock.advance(1_000)
    expect(again.of('ack')).toEqual([])
    open()
    expect(await again.next('ack')).toMatchObject({ items: [{ cid: 'm1', seq: 1, duplicate: true }] })
  })

  it('pushes nothing to who was blocked while it was being stored', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    const { opened, open } = gate()
    hooks.before.append = () => opened
    ann.sendItems('c1', 'm1')
    await server.clock.advance(100)
    server.friends.blocked.add('c1')
    const changed = server.core.membershipChanged('c1', ['ann', 'ben'])
    open()
    await ann.next('ack')
    await changed
    await server.clock.advance(1_000)
    expect(ben.frames.filter(({ t }) => t === 'messages' || t === 'behind')).toEqual([])
  })

  it('says store_unavailable when the store fails, and everybody looks afterwards', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
    hooks.after.append = () => Promise.reject(new Error('the answer was lost'))
    ann.sendItems('c1', 'm1')
    const { items, refused } = await ann.next('ack')
    expect([items, refused]).toEqual([[], { cid: 'm1', code: 'store_unavailable', retry: true }])
    expect((await ben.next('behind')).heads[0]?.slice(0, 2)).toEqual(['c1', 1])
    hooks.after = {}
    ann.sendItems('c1', 'm1')
    expect((await ann.next('ack', 2)).items).toMatchObject([{ seq: 1, duplicate: true }])
  })

  it('says store_unavailable when the friend table fails', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    server.friends.failing = true
    ann.sendItems('c1', 'm1')
    expect((await ann.next('ack')).refused).toMatchObject({ code: 'store_unavailable', retry: true })
  })

  it('does not take a failed look-up for a no', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    const cyd = await server.enter('cyd')
    hooks.before.find = () => Promise.reject(new Error('down'))
    cyd.sendItems('c1', 'm1')
    expect((await cyd.next('ack')).refused).toMatchObject({ code: 'store_unavailable', retry: true })
  })
})
