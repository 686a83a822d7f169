import type { SendItem } from '@kithwire/protocol'
import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { AppendQueue, type AppendRequest } from './append-queue.js'
import { DEFAULT_SERVER_LIMITS, type ServerLimits } from './limits.js'
import { Log } from './log.js'
import type { Outcome, Send, Store } from './store.js'
import { TimerWheel } from './timer-wheel.js'

const item = (cid: string, content = cid): SendItem => ({ cid, type: 'text', content })
const request = (conversation: string, from: string, ...cids: string[]): AppendRequest => ({
  conversation,
  from,
  items: cids.map((cid) => item(cid)),
})

/** A store whose appends are answered by hand. */
class HeldStore {
  readonly batches: { sends: readonly Send[]; finish(): void; fail(): void }[] = []
  constructor(readonly parallel = 1) {}

  append(sends: readonly Send[]): Promise<Outcome[]> {
    return new Promise((resolve, reject) => {
      const outcome = (send: Send): Outcome => ({
        stored: send.items.map(({ cid }, index) => ({ seq: index + 1, id: cid, at: 0, duplicate: false })),
      })
      this.batches.push({ sends, finish: () => resolve(sends.map(outcome)), fail: () => reject(new Error('down')) })
    })
  }

  /** The cids of each batch, the sends of it apart. */
  get cids(): string[][] {
    return this.batches.map(({ sends }) => sends.map(({ items }) => items.map(({ cid }) => cid).join('+')))
  }
}

function make({ parallel = 1, ...limits }: Partial<ServerLimits> & { parallel?: number } = {}) {
  const clock = new FakeClock()
  const store = new HeldStore(parallel)
  const queue = new AppendQueue({
    store: store as unknown as Store,
    runtime: clock,
    wheel: new TimerWheel(clock, () => {}),
    log: new Log(clock, undefined),
    limits: { ...DEFAULT_SERVER_LIMITS, ...limits },
  })
  const finishAll = async () => {
    for (let index = 0; index < store.batches.length; index++) {
      store.batches[index]!.finish()
      await clock.settle()
    }
  }
  return { clock, store, queue, finishAll }
}

describe('AppendQueue', () => {
  it('lets a store say when what arrived is to be stored', async () => {
    const { clock, store, queue } = make()
    const flushes: (() => void)[] = []
    Object.assign(store, { gather: (flush: () => void) => void flushes.push(flush) })
    const first = queue.append(request('c1', 'ann', 'a1'))
    await clock.settle()
    const second = queue.append(request('c2', 'ben', 'b1'))
    await clock.settle()
    expect(store.batches).toEqual([])
    expect(flushes).toHaveLength(1)
    flushes[0]!()
    expect(store.cids).toEqual([['a1', 'b1']])
    store.batches[0]!.finish()
    await Promise.all([first, second])
  })

  it('stores together what comes while the store is busy, without a timer for it', async () => {
    const { clock, store, queue, finishAll } = make()
    const first = queue.append(request('c1', 'ann', 'a1'))
    await clock.settle()
    void queue.append(request('c1', 'ann', 'a2'))
    void queue.append(request('c2', 'ben', 'b1', 'b2'))
    await clock.settle()
    expect(store.cids).toEqual([['a1']])
    await finishAll()
    expect(await first).toMatchObject({ stored: [{ id: 'a1' }] })
    expect(store.cids).toEqual([['a1'], ['a2', 'b1+b2']])
    expect([queue.size, clock.pending]).toEqual([0, 0])
  })

  it('says what was stored in the order of the sends, before anybody else hears of it', async () => {
    const { clock, queue, finishAll } = make()
    const order: string[] = []
    const sends = ['one', 'two', 'three'].map((cid) => {
      const done = queue.append({ ...request('c1', cid, cid), stored: () => order.push(`stored ${cid}`) })
      return done.then(() => order.push(`done ${cid}`))
    })
    await clock.settle()
    await finishAll()
    await Promise.all(sends)
    expect(order.slice(0, 3)).toEqual(['stored one', 'stored two', 'stored three'])
    expect(order).toHaveLength(6)
  })

  it('takes what comes in one turn as one batch', async () => {
    const { clock, store, queue } = make()
    for (const cid of ['a1', 'a2', 'a3']) void queue.append(request('c1', 'ann', cid))
    await clock.settle()
    expect(store.cids).toEqual([['a1', 'a2', 'a3']])
  })

  it('takes one send of each user in turn, a user\u2019s own in order', async () => {
    const { clock, store, queue, finishAll } = make({ batchItems: 4 })
    void queue.append(request('c0', 'zoe', 'z'))
    await clock.settle()
    for (let index = 1; index <= 6; index++) void queue.append(request('c1', 'ann', `a${index}`))
    void queue.append(request('c2', 'ben', 'b1'))
    void queue.append(request('c2', 'ben', 'b2'))
    await finishAll()
    expect(store.cids).toEqual([['z'], ['a1', 'b1', 'a2', 'b2'], ['a3', 'a4', 'a5', 'a6']])
  })

  it('never splits a send, and keeps to the bounds of a batch', async () => {
    const { store, queue, finishAll, clock } = make({ batchItems: 4, batchBytes: 2_000 })
    void queue.append(request('c1', 'ann', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6'))
    void queue.append({ ...request('c2', 'ben'), items: [item('b1', 'x'.repeat(1_500))] })
    void queue.append({ ...request('c3', 'cyd'), items: [item('y1', 'y'.repeat(1_500))] })
    void queue.append(request('c4', 'dan', 'd1', 'd2', 'd3'))
    void queue.append(request('c5', 'eve', 'e1', 'e2'))
    await clock.settle()
    await finishAll()
    expect(store.cids).toEqual([['a1+a2+a3+a4+a5+a6'], ['b1'], ['y1'], ['d1+d2+d3'], ['e1+e2']])
  })

  it('runs several batches for disjoint conversations, and never two for one', async () => {
    const { clock, store, queue, finishAll } = make({ parallel: 2 })
    void queue.append(request('c1', 'ann', 'a1'))
    await clock.settle()
    void queue.append(request('c1', 'ann', 'a2'))
    void queue.append(request('c2', 'ann', 'x1'))
    void queue.append(request('c1', 'ben', 'b1'))
    await clock.settle()
    expect(store.cids).toEqual([['a1'], ['x1']])
    await finishAll()
    expect(store.cids).toEqual([['a1'], ['x1'], ['a2', 'b1']])
  })

  it('refuses busy what waited too long, and leaves what is in the store', async () => {
    const { clock, store, queue } = make()
    const stored = queue.append(request('c1', 'ann', 'a1'))
    await clock.advance(1_000)
    const late = queue.append(request('c1', 'ann', 'a2'))
    await clock.advance(1_000)
    const later = queue.append(request('c1', 'ann', 'a3'))
    await clock.advance(4_000)
    expect(await late).toEqual({ stored: [], refused: { index: 0, code: 'busy' } })
    store.batches[0]!.finish()
    await clock.settle()
    store.batches[1]!.finish()
    expect([(await stored)!.stored.length, (await later)!.stored.length]).toEqual([1, 1])
    expect([queue.size, clock.pending]).toEqual([0, 0])
  })

  it('R5 refuses at once what would not fit in memory', async () => {
    const { queue } = make({ queueItems: 3 })
    void queue.append(request('c1', 'ann', 'a1', 'a2'))
    expect(await queue.append(request('c1', 'ann', 'a3', 'a4'))).toMatchObject({ refused: { code: 'busy' } })
    expect(await make({ queueBytes: 100 }).queue.append(request('c1', 'ann', 'a1'))).toMatchObject({
      refused: { code: 'busy' },
    })
  })

  it('drops what belongs to a socket that is gone, unless it is in the store', async () => {
    const { clock, store, queue, finishAll } = make()
    const [owner, other] = [{}, {}]
    const first = queue.append({ ...request('c1', 'ann', 'a1'), owner })
    await clock.settle()
    const second = queue.append({ ...request('c1', 'ann', 'a2'), owner })
    const third = queue.append({ ...request('c1', 'ann', 'a3'), owner: other })
    queue.discard(owner)
    expect(await second).toBeUndefined()
    await finishAll()
    expect([(await first)!.stored.length, (await third)!.stored.length]).toEqual([1, 1])
    expect(store.cids).toEqual([['a1'], ['a3']])
  })

  it('waits for what a device has under way, and for no more', async () => {
    const { clock, store, queue } = make()
    void queue.append({ ...request('c1', 'ann', 'a1'), device: 'd1' })
    await clock.settle()
    void queue.append({ ...request('c1', 'ann', 'a2'), device: 'd1' })
    let settled = false
    void queue.settled('d1').then(() => {
      settled = true
    })
    await queue.settled('d2')
    store.batches[0]!.finish()
    await clock.settle()
    expect(settled).toBe(false)
    void queue.append({ ...request('c1', 'ann', 'a3'), device: 'd1' })
    store.batches[1]!.finish()
    await clock.settle()
    expect(settled).toBe(true)
    store.batches[2]!.finish()
    await queue.idle()
    expect(queue.size).toBe(0)
  })

  it('recalls what waits for a conversation and waits for what is in the store', async () => {
    const { clock, store, queue } = make()
    void queue.append(request('c1', 'ann', 'a1'))
    await clock.settle()
    const waiting = queue.append(request('c1', 'ben', 'b1'))
    let recalled = false
    const done = queue.recall('c1').then(() => {
      recalled = true
    })
    expect(await waiting).toMatchObject({ refused: { code: 'busy' } })
    expect(recalled).toBe(false)
    store.batches[0]!.finish()
    await done
  })

  it('answers store_unavailable when the store rejects, and goes on', async () => {
    const { clock, store, queue } = make()
    const first = queue.append(request('c1', 'ann', 'a1'))
    await clock.settle()
    const second = queue.append(request('c1', 'ann', 'a2'))
    store.batches[0]!.fail()
    expect(await first).toEqual({ stored: [], refused: { index: 0, code: 'store_unavailable' } })
    store.batches[1]!.finish()
    expect((await second)!.stored).toHaveLength(1)
  })
})
