import { describe, expect, it } from 'vitest'
import { deviceOf, type TestClient, TestServer } from '../testing/core-kit.js'

async function chat() {
  const server = new TestServer()
  const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
  const benPhone = await server.enter('ben', { device: deviceOf('phone') })
  ann.sendItems('c1', 'm1', 'm2', 'm3')
  await ann.next('ack')
  return { server, ann, ben, benPhone }
}

describe('cursor', () => {
  it('is merged by max and relayed to the others and to the own other devices', async () => {
    const { server, ann, ben, benPhone } = await chat()
    ben.send({ t: 'cursor', conversation: 'c1', delivered: 3 })
    expect(await ann.next('cursor')).toEqual({ t: 'cursor', conversation: 'c1', user: 'ben', delivered: 3, read: 0 })
    ben.send({ t: 'cursor', conversation: 'c1', delivered: 1, read: 2 })
    expect(await benPhone.next('cursor', 2)).toMatchObject({ user: 'ben', delivered: 3, read: 2 })
    expect(await server.store.marks(['c1'])).toEqual([{ conversation: 'c1', user: 'ben', delivered: 3, read: 2 }])
  })

  it('tells what is unread to all devices of the user, and to nobody else', async () => {
    const { server, ann, ben, benPhone } = await chat()
    ben.sendItems('c1', 'mine')
    ann.sendItems('c1', 'm4')
    await ann.next('ack', 2)
    const told = { t: 'cursor', conversation: 'c1', user: 'ben' }
    ben.send({ t: 'cursor', conversation: 'c1', delivered: 5 })
    ben.send({ t: 'cursor', conversation: 'c1', read: 2 })
    const place = { ...told, delivered: 5, read: 2, seen: 2, unread: 2, head: 5 }
    expect(await ben.next('cursor')).toEqual(place)
    await benPhone.next('cursor', 3)
    expect(benPhone.of('cursor').at(-1)).toEqual(place)
    ben.send({ t: 'cursor', conversation: 'c1', read: 5 })
    expect(await ben.next('cursor', 2)).toMatchObject({ read: 5, seen: 5, unread: 0 })
    const before = ann.of('cursor').length
    benPhone.send({ t: 'cursor', conversation: 'c1', seen: 1 })
    expect(await ben.next('cursor', 3)).toEqual({ ...told, delivered: 5, read: 5, seen: 1, unread: 3, head: 5 })
    await server.clock.advance(1_000)
    expect(ann.of('cursor')).toHaveLength(before)
    expect(ann.of('cursor').some((frame) => 'seen' in frame || 'unread' in frame)).toBe(false)
    const fresh = await server.enter('ben', { device: deviceOf('fresh') })
    expect(fresh.of('welcome')[0]!.heads[0]!.slice(8)).toEqual([1, 3])
    const known = await server.enter('ben', { device: deviceOf('known'), cursors: [['c1', 3, '']] })
    expect(known.of('welcome')[0]!.heads[0]!.slice(8)).toEqual([1])
    benPhone.send({ t: 'cursor', conversation: 'c1', seen: 6 })
    expect(await benPhone.next('error')).toMatchObject({ code: 'cursor_invalid' })
  })

  it('counts what was read as delivered', async () => {
    const { ann, ben } = await chat()
    ben.send({ t: 'cursor', conversation: 'c1', read: 2 })
    expect(await ann.next('cursor')).toMatchObject({ delivered: 2, read: 2 })
  })

  it.each([
    ['beyond the head', 'c1', 'cursor_invalid'],
    ['in a foreign conversation', 'nowhere', 'not_found'],
  ])('is refused %s', async (_name, conversation, code) => {
    const { server, ann, ben } = await chat()
    ben.send({ t: 'cursor', conversation, read: 4 })
    expect(await ben.next('error')).toMatchObject({ code, fatal: false })
    await server.clock.advance(1_000)
    expect([ann.of('cursor'), await server.store.marks(['c1'])]).toEqual([[], []])
  })
})

const typing = (client: TestClient) => client.of('signal').filter(({ kind }) => kind === 'typing')

describe('signal', () => {
  it('goes to the other members and nobody else, and is not kept', async () => {
    const { server, ann, ben, benPhone } = await chat()
    const cyd = await server.enter('cyd')
    ben.send({ t: 'signal', conversation: 'c1', kind: 'typing', value: true })
    cyd.send({ t: 'signal', conversation: 'c1', kind: 'typing', value: true })
    await server.clock.advance(1_000)
    const frame = { t: 'signal', conversation: 'c1', kind: 'typing', value: true, user: 'ben' }
    expect([typing(ann), typing(ben), typing(benPhone), cyd.of('error')]).toEqual([[frame], [], [], []])
    expect(server.core.stats.get('signals_dropped')).toBe(1)
  })

  it('of presence is the server’s own, and what a client says of it goes nowhere', async () => {
    const { server, ann, ben } = await chat()
    const before = ann.of('signal').length
    ben.send({ t: 'signal', conversation: 'c1', kind: 'presence', value: false })
    await server.clock.advance(1_000)
    expect(ann.of('signal')).toHaveLength(before)
  })

  it('is dropped for a socket under pressure', async () => {
    const { server, ann, ben } = await chat()
    ann.socket.stalled = true
    const items = [{ cid: 'long', type: 'text', content: 'x'.repeat(16_384) }]
    await server.core.send({ conversation: 'c1', from: 'ben', items })
    ben.send({ t: 'signal', conversation: 'c1', kind: 'typing', value: true })
    await server.clock.advance(1_000)
    ann.socket.stalled = false
    await server.clock.advance(1_000)
    expect([ann.of('messages').length, typing(ann).length]).toEqual([1, 0])
  })
})
