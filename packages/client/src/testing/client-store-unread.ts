import { deepStrictEqual, strictEqual } from 'node:assert/strict'
import type { HeadTuple } from '@kithwire/protocol'
import type { ClientStore, StoreChange } from '../client-store.js'
import { entries, entry, head, tail } from './script.js'

const mine = (seq: number, cid: string) => entry(seq, { from: 'ann', cid })

/** What a store must count as unread. */
export function unreadCases(
  test: (what: string, run: (store: ClientStore) => Promise<void>) => void,
  begin: (store: ClientStore, heads?: HeadTuple[]) => Promise<StoreChange[]>,
): void {
  const unread = async (store: ClientStore) => {
    const { seen, unread: count, partial, unsaid } = (await store.conversation('c'))!
    return [seen, count, ...(partial ? ['partial'] : []), ...(unsaid ? ['unsaid'] : [])]
  }

  test('counts what is unread: no own entries, nothing that is only about others, nothing twice', async (store) => {
    const changes = await begin(store)
    await store.apply('c', [entry(1), mine(2, 'a'), entry(3, { type: 'reaction' }), entry(4, { type: 'file' })])
    await store.apply('c', entries(3, 4))
    deepStrictEqual(await unread(store), [0, 2])
    await store.move('c', { read: 1 })
    await store.move('c', { read: 1 })
    deepStrictEqual(await unread(store), [1, 1])
    await store.skip('c', 4, 6, '')
    await store.apply('c', [entry(7)])
    deepStrictEqual(await unread(store), [1, 2])
    await store.move('c', { read: 7 })
    deepStrictEqual(await unread(store), [7, 0])
    deepStrictEqual(changes.map(({ kind }) => kind).filter((kind) => kind === 'read' || kind === 'unread').length, 2)
  })

  test('sets back what was seen, until it is read again', async (store) => {
    const changes = await begin(store)
    await store.apply('c', entries(1, 5))
    await store.move('c', { read: 5 })
    await store.move('c', { seen: 2 })
    await store.move('c', { seen: 3 })
    deepStrictEqual(await unread(store), [2, 3, 'unsaid'])
    strictEqual((await store.conversation('c'))?.read, 5)
    await store.move('c', { place: { read: 5 } })
    await store.move('c', { place: { read: 5, seen: 5, unread: 0, head: 5 } })
    deepStrictEqual(await unread(store), [2, 3, 'unsaid'])
    await store.move('c', { place: { read: 5, seen: 2, unread: 3, head: 5 } })
    deepStrictEqual(await unread(store), [2, 3])
    await store.move('c', { read: 4 })
    deepStrictEqual(await unread(store), [4, 1, 'unsaid'])
    strictEqual(changes.at(-1)?.kind, 'unread')
    await store.apply('c', [entry(6)])
    await store.move('c', { read: 6 })
    deepStrictEqual(await unread(store), [6, 0])
    strictEqual(changes.at(-1)?.kind, 'read')
  })

  test('takes the count of the server for what is not here', async (store) => {
    const place = (read: number, seen: number, count: number) => [
      ...head(9).slice(0, 5),
      read,
      [],
      tail(9),
      seen,
      count,
    ]
    await begin(store, [place(4, 4, 3) as never])
    deepStrictEqual(await unread(store), [4, 3])
    // A word from before this device began, which another tab's socket held back: what came since nobody here can count.
    await store.move('c', { place: { read: 4, seen: 4, unread: 0, head: 5 } })
    deepStrictEqual(await unread(store), [4, 3])
    await store.apply('c', entries(10, 11))
    deepStrictEqual(await unread(store), [4, 5])
    await store.move('c', { place: { read: 6, seen: 6 } })
    deepStrictEqual(await unread(store), [6, 2, 'partial'])
    // It says so of a time before the second of the two came, or after a third that is still on the way.
    await store.move('c', { place: { read: 6, seen: 6, unread: 3, head: 10 } })
    deepStrictEqual(await unread(store), [6, 4])
    await store.move('c', { place: { read: 6, seen: 6, unread: 5, head: 12 } })
    await store.apply('c', [entry(12)])
    await store.apply('c', [entry(13)])
    deepStrictEqual(await unread(store), [6, 6])
    await store.move('c', { place: { read: 5, seen: 5, unread: 9, head: 13 } })
    deepStrictEqual(await unread(store), [6, 6])
    // A server that had not heard of the last entries when it said what was seen: those that were do not count.
    await store.move('c', { place: { read: 11, seen: 11, unread: 0, head: 10 } })
    deepStrictEqual(await unread(store), [11, 2])
    await store.meet([[...head(13).slice(0, 5), 12, [], tail(13), 12] as never])
    deepStrictEqual(await unread(store), [12, 1])
    await store.reset('c', { resets: 0, to: 11, tail: tail(11), marks: [], at: 1 })
    deepStrictEqual(await unread(store), [11, 0])
    await store.apply('c', [entry(12)])
    deepStrictEqual(await unread(store), [11, 1])
  })
  test('counts anew what the server had counted of a log that may have been restored since', async (store) => {
    const place = (at: number, count?: number) =>
      [...head(at).slice(0, 5), 0, [], tail(at), 0, ...(count === undefined ? [] : [count])] as never
    const welcome = { epoch: 'epoch', after: new Map<string, number>() }
    await begin(store, [head(0)])
    await store.meet([place(3, 2)], welcome)
    await store.apply('c', [entry(1)])
    deepStrictEqual(await unread(store), [0, 2])
    // Its socket ended there, and the next server has a log in which others wrote what follows.
    await store.meet([place(4)], welcome)
    deepStrictEqual(await unread(store), [0, 1])
    await store.apply('c', entries(2, 4))
    deepStrictEqual(await unread(store), [0, 4])
  })
}
