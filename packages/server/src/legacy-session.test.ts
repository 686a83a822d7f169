import { describe, expect, it } from 'vitest'
import { type TestClient, TestServer } from './testing/core-kit.js'
import { gate, StoreWrap } from './testing/store-wrap.js'

const bare = (content: string, more: { [field: string]: unknown } = {}) =>
  JSON.stringify({ friend: 'c1', from: 'ann', to: 'ben', content, type: 'text', ...more })
const contents = (client: TestClient) => client.texts.map((text) => JSON.parse(text).content)
const log = async (server: TestServer) =>
  (await server.core.history('ann', 'c1', { after: 0, limit: 200 })).items.map(({ content }) => content)

describe('a legacy socket', () => {
  it('L1, L5, L10 has its message stored and delivered to everybody but itself, and is not answered', async () => {
    const server = new TestServer()
    const ann = server.connectLegacy('ann')
    const others = [server.connectLegacy('ann'), server.connectLegacy('ben')]
    const [annNew, benNew] = [await server.enter('ann'), await server.enter('ben')]
    ann.socket.send(bare('hello', { from: 'mallory', createdAt: 1, _id: 'x' }))
    const pushed = (await benNew.next('messages')).items[0]!
    expect(pushed).toMatchObject({ from: 'ann', to: 'ben', content: 'hello', seq: 1 })
    expect((await annNew.next('messages')).items).toEqual([pushed])
    for (const other of others) {
      expect(other.texts).toHaveLength(1)
      expect(JSON.parse(other.texts[0]!)).toEqual({
        _id: pushed.id,
        friend: 'c1',
        from: 'ann',
        to: 'ben',
        content: 'hello',
        type: 'text',
        createdAt: pushed.createdAt,
        seq: 1,
      })
    }
    await server.clock.advance(120_000)
    expect([ann.texts, ann.closed]).toEqual([[], undefined])
  })

  it('sees what new clients send, but for kinds that it does not know', async () => {
    const server = new TestServer()
    const [ann, ben] = [await server.enter('ann'), server.connectLegacy('ben')]
    const items = [
      { cid: 'm1', type: 'text', content: 'one' },
      { cid: 'm2', type: 'reaction', content: 'two' },
      { cid: 'm3', type: 'emoji', content: 'three' },
    ]
    ann.send({ t: 'send', n: 1, conversation: 'c1', items })
    await ann.next('ack')
    await server.clock.advance(1_000)
    expect(contents(ben)).toEqual(['one', 'three'])
  })

  it('L6, L8 takes the type for text where there is none', async () => {
    const server = new TestServer()
    const [ann, ben] = [server.connectLegacy('ann'), await server.enter('ben')]
    ann.socket.send(JSON.stringify({ friend: 'c1', to: 'ben', content: 'hi' }))
    expect((await ben.next('messages')).items[0]).toMatchObject({ type: 'text', content: 'hi' })
  })

  it('keeps the order of what it sends, and more than the rate allows, more slowly', async () => {
    const server = new TestServer({ limits: { rate: 10, burst: 5 } })
    const [ann, ben] = [server.connectLegacy('ann'), server.connectLegacy('ben')]
    const sent = Array.from({ length: 60 }, (_, index) => `m${index}`)
    for (const content of sent) ann.socket.send(bare(content))
    await server.clock.advance(2_000)
    expect(contents(ben).length).toBeGreaterThan(15)
    expect(contents(ben).length).toBeLessThan(30)
    await server.clock.until(() => ben.texts.length === 60)
    expect([contents(ben), await log(server)]).toEqual([sent, sent])
    expect(ann.closed).toBeUndefined()
  })

  it('has stored what was read of it, even if it leaves at once', async () => {
    const server = new TestServer({ limits: { rate: 10, burst: 2 } })
    const ann = server.connectLegacy('ann')
    for (const content of ['one', 'two', 'three', 'four']) ann.socket.send(bare(content))
    ann.socket.close()
    await server.clock.until(() => server.empty)
    expect(await log(server)).toEqual(['one', 'two', 'three', 'four'])
  })

  it('has its message tried again while the store fails, and delivered once', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    const [ann, ben] = [server.connectLegacy('ann'), server.connectLegacy('ben')]
    let failures = 0
    hooks.after.append = () => (++failures < 3 ? Promise.reject(new Error('lost')) : undefined)
    for (const content of ['one', 'two']) ann.socket.send(bare(content))
    await server.clock.until(() => ben.texts.length === 2)
    await server.clock.advance(10_000)
    expect([contents(ben), await log(server)]).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ])
  })

  it.each([
    ['an unknown friend', bare('x', { friend: 'nowhere' })],
    ['a friend of others', bare('x', { friend: 'c2' })],
    ['the wrong receiver', bare('x', { to: 'cyd' })],
    ['A5 itself as the receiver', bare('x', { to: 'ann' })],
  ])('is not served with %s, and goes on', async (_name, frame) => {
    const server = new TestServer()
    server.friends.table.set('c2', ['ben', 'cyd'])
    const [ann, ben] = [server.connectLegacy('ann'), server.connectLegacy('ben')]
    ann.socket.send(frame)
    ann.socket.send(bare('fine'))
    await server.clock.until(() => ben.texts.length > 0)
    expect(contents(ben)).toEqual(['fine'])
    expect(server.core.stats.get('legacy_refused')).toBe(1)
    expect(ann.texts).toEqual([])
  })

  it('L12 is closed 1008 for the tenth frame a minute that cannot be read', async () => {
    const server = new TestServer()
    const ann = server.connectLegacy('ann')
    const wrong = ['', 'null', '[]', '{}', bare(''), bare('x', { type: 'dance' }), bare('x', { to: 3 }), '{"friend":']
    for (const frame of [...wrong, 'x']) ann.socket.send(frame)
    await server.clock.advance(1_000)
    expect([ann.closed, ann.texts]).toEqual([undefined, []])
    ann.socket.send('x')
    expect(await ann.ended()).toBe(1008)
    expect(server.core.stats.get('legacy_bad_frame')).toBe(10)
    expect(server.lines.filter(({ event }) => event === 'legacy_bad_frame')).toHaveLength(1)
  })

  it('is closed 1009 for a frame beyond the limit, 4003 when dead, and 4001 at the end of its credentials', async () => {
    const server = new TestServer()
    const big = server.connectLegacy('ann')
    big.socket.send(bare('x'.repeat(200_000)))
    expect(await big.ended()).toBe(1009)
    const dead = server.connectLegacy('ann')
    dead.socket.cut()
    await server.clock.advance(60_000)
    expect(server.core.stats.get('closed_4003')).toBe(1)
    const expired = server.connectLegacy('ann', { expires: server.clock.now() + 1_000 })
    expect([await expired.ended(), expired.texts]).toEqual([4001, []])
  })

  it('is closed 1013 when it does not read', async () => {
    const server = new TestServer()
    const [ann, ben] = [await server.enter('ann'), server.connectLegacy('ben')]
    ben.socket.stalled = true
    ann.sendItems('c1', 'm1')
    await ann.next('ack')
    await server.clock.advance(60_000)
    expect(server.core.stats.get('closed_1013')).toBe(1)
  })

  it('gets what the app broadcasts and sends, which new clients do not', async () => {
    const server = new TestServer()
    const [ann, ben] = [server.connectLegacy('ann'), server.connectLegacy('ben')]
    const benNew = await server.enter('ben')
    server.core.broadcast('hello from server')
    server.core.sendTo({ to: 'ben', from: 'ann', content: 'not stored' })
    await server.clock.advance(1_000)
    expect([ann.texts, ben.texts]).toEqual([
      ['hello from server'],
      ['hello from server', '{"to":"ben","from":"ann","content":"not stored"}'],
    ])
    expect(benNew.frames).toHaveLength(1)
  })

  it('holds up a drain until what was read of it is stored', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap, limits: { rate: 1, burst: 1 } })
    const ann = server.connectLegacy('ann')
    const { opened, open } = gate()
    hooks.before.append = () => opened
    for (const content of ['one', 'two', 'three']) ann.socket.send(bare(content))
    await server.clock.advance(100)
    const closed = server.core.close()
    await server.clock.advance(3_000)
    open()
    await server.clock.until(() => server.empty)
    await closed
    expect(await log(server)).toEqual(['one', 'two', 'three'])
  })
})
