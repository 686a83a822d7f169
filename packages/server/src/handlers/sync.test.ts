import { describe, expect, it } from 'vitest'
import { TestServer } from '../testing/core-kit.js'
import { gate, StoreWrap } from '../testing/store-wrap.js'

async function withLog(count: number, content = (index: number) => `${index}`) {
  const hooks = new StoreWrap()
  const server = new TestServer({ wrap: hooks.wrap })
  const ids: string[] = []
  for (let index = 1; index <= count; index++) {
    const items = [{ cid: `m${index}`, type: 'text', content: content(index) }]
    ids.push((await server.core.send({ conversation: 'c1', from: 'ann', items }))[0]!.id)
  }
  const ben = await server.enter('ben')
  let n = 0
  const sync = async (fields: { [name: string]: unknown }) => {
    ben.send({ t: 'sync', n: ++n, conversation: 'c1', limit: 200, ...fields })
    return ben.next('page', n)
  }
  return { server, hooks, ben, ids, sync }
}
const seqsOf = (items: readonly { seq: number }[] | undefined) => items?.map(({ seq }) => seq)

describe('sync', () => {
  it('pages forwards and backwards', async () => {
    const { sync } = await withLog(5)
    const forwards = await sync({ after: 1, limit: 2 })
    expect(forwards).toMatchObject({ re: 1, conversation: 'c1', head: 5, first: 1, more: true })
    expect(seqsOf(forwards.items)).toEqual([2, 3])
    expect(await sync({ after: 3 })).toMatchObject({ more: false, items: [{ seq: 4, to: 'ben' }, { seq: 5 }] })
    expect(await sync({ after: 5 })).toMatchObject({ more: false, items: [], head: 5 })
    expect(await sync({ before: 5, limit: 2 })).toMatchObject({ more: true, items: [{ seq: 3 }, { seq: 4 }] })
    expect(await sync({ before: 3 })).toMatchObject({ more: false, items: [{ seq: 1 }, { seq: 2 }] })
    expect(await sync({ before: 1 })).toMatchObject({ more: false, items: [] })
  })

  it('keeps a page below 64 KB, with at least one entry', async () => {
    const { sync, ben } = await withLog(12, () => '\u0001'.repeat(2_600))
    const forwards = await sync({ after: 0 })
    expect(seqsOf(forwards.items)).toEqual([1, 2, 3, 4])
    expect(ben.texts.at(-1)!.length).toBeLessThanOrEqual(65_536)
    expect(forwards.more).toBe(true)
    const backwards = await sync({ before: 13 })
    expect(seqsOf(backwards.items)).toEqual([9, 10, 11, 12])
    expect(backwards.more).toBe(true)
  })

  it('resets a device that has more than the log, or another entry', async () => {
    const { sync, ids } = await withLog(3)
    expect((await sync({ after: 9 })).reset).toEqual({ to: 3, id: ids[2] })
    expect((await sync({ after: 2, tail: 'aaaaaaaa' })).reset).toEqual({ to: 1, id: ids[0] })
    expect((await sync({ after: 1, tail: 'aaaaaaaa' })).reset).toEqual({ to: 0, id: '' })
    expect(seqsOf((await sync({ after: 2, tail: ids[1]!.slice(-8), limit: 1 })).items)).toEqual([3])
    expect((await sync({ after: 3, tail: ids[2]!.slice(-8) })).items).toEqual([])
  })

  it('tells where the log begins after retention', async () => {
    const { server, sync, ids } = await withLog(5)
    await server.store.retain('c1', 4)
    const tail = await server.store.tail('c1', 1)
    expect(await sync({ after: 1, tail })).toMatchObject({ first: 4, items: [{ seq: 4 }, { seq: 5 }] })
    expect(await sync({ after: 1, tail: 'aaaaaaaa' })).toMatchObject({ reset: { to: 0, id: '' } })
    // By this the device knows the log again, though it has nothing of it: all of it may be gone.
    expect(await sync({ after: 1 })).toMatchObject({ tail: ids[2]!.slice(-8) })
    expect(await sync({ after: 3 })).not.toHaveProperty('tail')
    expect(await sync({ before: 6 })).toMatchObject({ first: 4, more: false, items: [{ seq: 4 }, { seq: 5 }] })
  })

  it('sends nothing of a conversation that was closed while its log was read', async () => {
    const { server, hooks, ben } = await withLog(2)
    const { opened, open } = gate()
    hooks.before.read = () => opened
    ben.send({ t: 'sync', n: 1, conversation: 'c1', after: 0, limit: 10 })
    const history = server.core.history('ben', 'c1', { after: 0, limit: 10 })
    const refused = expect(history).rejects.toMatchObject({ code: 'not_found' })
    await server.clock.advance(0)
    server.friends.blocked.add('c1')
    await server.core.membershipChanged('c1', ['ann', 'ben'])
    open()
    expect(await ben.next('page', 1)).toMatchObject({ refused: { code: 'blocked' } })
    await refused
  })

  it('refuses who is not a member like what does not exist', async () => {
    const { server } = await withLog(1)
    const cyd = await server.enter('cyd')
    for (const conversation of ['c1', 'nowhere']) cyd.send({ t: 'sync', n: 1, conversation, after: 0, limit: 1 })
    await cyd.next('page', 2)
    const refused = cyd.of('page').map((page) => page.refused)
    expect(refused).toEqual(Array(2).fill({ code: 'not_found', retry: false }))
  })

  it('Q15 has at most four under way, and answers each', async () => {
    const { server, hooks, ben } = await withLog(1)
    const { opened, open } = gate()
    hooks.before.heads = () => opened
    for (let n = 1; n <= 100; n++) ben.send({ t: 'sync', n, conversation: 'c1', after: 0, limit: 1 })
    await ben.next('page', 96)
    open()
    await ben.next('page', 100)
    await server.clock.advance(1_000)
    expect(new Set(ben.of('page').map(({ re }) => re)).size).toBe(100)
    expect(ben.of('page').filter(({ refused }) => refused?.code === 'busy')).toHaveLength(96)
  })

  it('says store_unavailable when the store fails', async () => {
    const { hooks, sync } = await withLog(1)
    hooks.before.read = () => Promise.reject(new Error('down'))
    expect((await sync({ after: 0 })).refused).toEqual({ code: 'store_unavailable', retry: true })
  })
})
