import { describe, expect, it } from 'vitest'
import { deviceOf, type TestClient, TestServer } from './testing/core-kit.js'
import { gate, StoreWrap } from './testing/store-wrap.js'

/** The cases of the hostile list that need a clock, a store or a number of sockets that no real machine gives. */

const DAY = 86_400_000

const item = (cid: string, content = cid) => ({ cid, type: 'text', content })

/** Sends without waiting and answers with what the ack says. */
async function say(client: TestClient, conversation: string, cid: string, content = cid) {
  client.send({ t: 'send', n: ++client.n, conversation, items: [item(cid, content)] })
  const n = client.n
  const ack = await client.next('ack', client.of('ack').length + 1)
  expect(ack.re).toBe(n)
  return ack
}

describe('a cid', { timeout: 60_000 }, () => {
  it('Q3 makes a new entry in another conversation', async () => {
    const server = new TestServer()
    server.friends.table.set('c2', ['ann', 'cyd'])
    const ann = await server.enter('ann')
    for (const conversation of ['c1', 'c2']) {
      const { items } = await say(ann, conversation, 'same')
      expect(items).toEqual([expect.objectContaining({ cid: 'same', seq: 1 })])
      expect(items[0]).not.toHaveProperty('duplicate')
    }
  })

  it('Q4 is known after 31 days', async () => {
    const server = new TestServer()
    const first = await server.enter('ann')
    const { items } = await say(first, 'c1', 'once')
    first.socket.close(1000)
    await server.clock.advance(31 * DAY)
    const again = await server.enter('ann', { attempt: 2 })
    expect((await say(again, 'c1', 'once')).items).toEqual([{ ...items[0], duplicate: true }])
  })

  it('Q6 that was stored while its socket died is a duplicate afterwards', async () => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    const { opened, open } = gate()
    hooks.after.append = () => opened
    const first = await server.enter('ann')
    first.sendItems('c1', 'once')
    await server.clock.advance(100)
    first.socket.terminate()
    await server.clock.advance(100)
    open()
    expect(first.of('ack')).toEqual([])
    const again = await server.enter('ann', { attempt: 2 })
    expect((await say(again, 'c1', 'once')).items).toEqual([expect.objectContaining({ seq: 1, duplicate: true })])
  })
})

describe('who looks around', { timeout: 60_000 }, () => {
  it('A12 gets the same answer for each of 10,000 conversations, and soon none', async () => {
    const server = new TestServer()
    server.friends.table.set('secret', ['ben', 'cyd'])
    const ann = await server.enter('ann')
    for (let n = 1; n <= 10_000; n++) {
      const conversation = n === 50 ? 'secret' : `guess-${n}`
      ann.send({ t: 'sync', n, conversation, after: 0, limit: 1 })
      if (n % 10 === 0) await server.clock.advance(1)
    }
    expect(await ann.ended()).toBe(4029)
    const answers = ann.of('page').map(({ refused }) => refused?.code)
    expect(answers.length).toBeLessThan(300)
    expect(new Set(answers.filter((code) => code !== 'busy' && code !== 'rate_limited'))).toEqual(
      new Set(['not_found']),
    )
    const [secret, other] = ann.of('page').filter(({ conversation }) => ['secret', 'guess-51'].includes(conversation))
    expect(Object.keys(secret!)).toEqual(Object.keys(other!))
  })

  it('A17 gains nothing by an id that a server made', async () => {
    const server = new TestServer()
    const [ann, eve] = [await server.enter('ann'), await server.enter('eve')]
    const { id } = (await say(ann, 'c1', 'm1')).items[0]!
    const { session } = ann.of('welcome')[0]!
    for (const guess of [id, session]) {
      eve.send({ t: 'sync', n: ++eve.n, conversation: guess, after: 0, limit: 1 })
      expect((await eve.next('page', eve.n)).refused).toEqual({ code: 'not_found', retry: false })
    }
    ann.send({ t: 'send', n: 9, conversation: 'c1', items: [{ ...item('m2'), id: 'mine', seq: 7 } as never] })
    const { items } = await ann.next('ack', 2)
    expect(items[0]).toMatchObject({ seq: 2 })
    expect(items[0]!.id).not.toBe('mine')
  })
})

describe('a hello', { timeout: 60_000 }, () => {
  it('Q14 of another epoch is compared by its tails like any other', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    const { id } = (await say(ann, 'c1', 'm1')).items[0]!
    const right = await server.enter('ben', { epoch: 'another', cursors: [['c1', 1, id.slice(-8)]] })
    const wrong = await server.enter('ben', {
      epoch: 'another',
      device: deviceOf('b'),
      cursors: [['c1', 1, 'xxxxxxxx']],
    })
    await server.clock.advance(1_000)
    for (const { frames } of [right, wrong])
      expect(frames[0]).toMatchObject({ t: 'welcome', epoch: await server.store.epoch() })
    expect(right.of('page')).toEqual([])
    expect(wrong.of('page')).toEqual([{ t: 'page', conversation: 'c1', reset: { to: 0, id: '' } }])
  })

  it('R8 of 1,000 conversations, on 100 sockets at once, is answered on each', async () => {
    const server = new TestServer()
    const cursors = Array.from({ length: 1_000 }, (_, index) => [`c${index}`, 0, ''] as const)
    for (const [conversation] of cursors) server.friends.table.set(conversation, ['ann', 'ben'])
    const sockets = Array.from({ length: 100 }, () => server.connect('ann'))
    for (const [index, socket] of sockets.entries())
      socket.send({ t: 'hello', device: deviceOf(`d${index}`), attempt: 1, cursors })
    await server.clock.until(() => sockets.every((socket) => socket.of('welcome').length === 2))
    expect(sockets.map(({ closed }) => closed).filter(Boolean)).toEqual([])
  })
})
