import { deepStrictEqual, strictEqual } from 'node:assert/strict'
import type { HeadTuple, IMessage } from '@kithwire/protocol'
import type { ClientStore, OutboxItem, StoreChange } from '../client-store.js'
import { entry, tail } from './script.js'

/** Names a case and runs it on a new store. */
export type Test = (what: string, run: (store: ClientStore) => Promise<void>) => void

/** Makes a store ann's, seeded, in which `c` stands at head 0; the changes that it tells from then on. */
export type Begin = (store: ClientStore, heads?: HeadTuple[]) => Promise<StoreChange[]>

export const NO_LIMITS = { items: 1e6, bytes: 1e9, oldest: 0 }
export const none = new Map<string, number>()

export const row = (cid: string, change: Partial<OutboxItem> = {}): OutboxItem => {
  return { conversation: 'c', cid, type: 'text', content: `content of ${cid}`, queuedAt: 1_000, ...change }
}
export const mine = (seq: number, cid: string, change: Partial<IMessage> = {}) =>
  entry(seq, { from: 'ann', cid, content: `content of ${cid}`, ...change })

/** What every client store must do when the server's log was restored from a backup. */
export function resetCases(test: Test, begin: Begin): void {
  test('goes back, and puts its own entries in front of what waits', async (store) => {
    await begin(store)
    const all = [
      entry(1),
      mine(2, 'two', { meta: { x: 1 } }),
      entry(3),
      mine(4, 'four'),
      mine(5, 'gone', { content: '' }),
    ]
    await store.apply('c', all)
    await store.mark('c', [['ben', 5, 5]])
    await store.move('c', { read: 5 })
    await store.enqueue(row('waits'), NO_LIMITS)
    const point = { resets: 0, to: 1, tail: tail(1), marks: [['ben', 1, 0]] as const, at: 5 }
    deepStrictEqual(await Promise.all([store.reset('c', point), store.reset('c', point)]), [true, false])
    const state = await store.conversation('c')
    deepStrictEqual(
      [state?.applied, state?.tail, state?.read, state?.marks, state?.resets],
      [1, tail(1), 1, [['ben', 1, 0]], [1]],
    )
    deepStrictEqual(
      (await store.queued('c', 9)).map(({ cid, queuedAt }) => [cid, queuedAt]),
      [
        ['two', 5],
        ['four', 5],
        ['waits', 1_000],
      ],
    )
    deepStrictEqual((await store.queued('c', 1))[0]?.meta, { x: 1 })
    deepStrictEqual(await store.messages('c', 0, 9), [entry(1)])
    await store.apply('c', [entry(2, { id: 'other' })])
    strictEqual((await store.conversation('c'))?.applied, 2)
  })

  test('puts entries back where they were queued, also behind what still waits', async (store) => {
    await begin(store)
    for (const cid of ['older', 'two', 'newer']) await store.enqueue(row(cid), NO_LIMITS)
    await store.apply('c', [entry(1), mine(2, 'two'), mine(3, 'elsewhere')])
    await store.reset('c', { resets: 0, to: 1, tail: tail(1), marks: [], at: 5 })
    const cids = (await store.queued('c', 9)).map(({ cid }) => cid)
    deepStrictEqual(cids, ['older', 'two', 'elsewhere', 'newer'])
  })

  test('adds a cid that comes again behind all others, also to a reset', async (store) => {
    await begin(store)
    for (const cid of ['a', 'b']) await store.enqueue(row(cid), NO_LIMITS)
    await store.fail('c', 'a', 'blocked')
    await store.discard('c', 'a')
    await store.enqueue(row('a'), NO_LIMITS)
    await store.apply('c', [entry(1)])
    await store.reset('c', { resets: 0, to: 0, tail: '', marks: [], at: 5 })
    deepStrictEqual(
      (await store.queued('c', 9)).map(({ cid }) => cid),
      ['b', 'a'],
    )
  })

  test('keeps entries from elsewhere in their order when a later reset takes only the younger one', async (store) => {
    await begin(store)
    await store.apply('c', [entry(1), mine(2, 'older'), mine(3, 'younger')])
    await store.reset('c', { resets: 0, to: 1, tail: tail(1), marks: [], at: 5 })
    await store.apply('c', [mine(2, 'younger')])
    await store.reset('c', { resets: 1, to: 1, tail: tail(1), marks: [], at: 5 })
    const cids = (await store.queued('c', 9)).map(({ cid }) => cid)
    deepStrictEqual(cids, ['older', 'younger'])
  })

  test('puts an entry from elsewhere back behind the one before it, which a later reset takes too', async (store) => {
    await begin(store)
    await store.enqueue(row('two'), NO_LIMITS)
    await store.apply('c', [entry(1), mine(2, 'two'), mine(3, 'elsewhere'), mine(4, 'last')])
    await store.enqueue(row('waits'), NO_LIMITS)
    await store.reset('c', { resets: 0, to: 3, tail: tail(3), marks: [], at: 5 })
    await store.reset('c', { resets: 1, to: 1, tail: tail(1), marks: [], at: 6 })
    const cids = (await store.queued('c', 9)).map(({ cid }) => cid)
    deepStrictEqual(cids, ['two', 'elsewhere', 'last', 'waits'])
  })
}
