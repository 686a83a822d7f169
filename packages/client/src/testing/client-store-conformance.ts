import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import type { ClientStore, StoreChange } from '../client-store.js'
import { type Begin, mine, NO_LIMITS, none, resetCases, row, type Test } from './client-store-resets.js'
import { unreadCases } from './client-store-unread.js'
import { entries, entry, head, tail } from './script.js'

type Run = () => Promise<void>

/** What every client store must do; see the invariants in `client-store.ts`. The caller passes its own runner. */
export function clientStoreConformance(
  name: string,
  make: () => ClientStore,
  it: (name: string, run: Run) => void,
): void {
  const test: Test = (what, run) =>
    it(`${name}: ${what}`, async () => {
      const store = make()
      await run(store).finally(() => store.close())
    })

  /** A store of ann, seeded, in which `c` stands at head 0. */
  const begin: Begin = async (store, heads = [head(0)]) => {
    await store.attempt('device')
    await store.claim('ann')
    await store.meet(heads, { epoch: 'epoch', after: none })
    const changes: StoreChange[] = []
    store.watch((change) => changes.push(change))
    return changes
  }

  test('makes one identity and raises the attempt', async (store) => {
    const [one, two] = await Promise.all([store.attempt('one'), store.attempt('two')])
    deepStrictEqual([one.device, one.attempt, one.seeded], ['one', 1, false])
    deepStrictEqual([two.device, two.attempt], ['one', 2])
    await store.renew('another', 'three')
    strictEqual((await store.attempt('x')).device, 'one')
    await store.renew('one', 'three')
    const three = await store.attempt('x')
    deepStrictEqual([three.device, three.attempt], ['three', 1])
  })

  test('belongs to whoever claims it first', async (store) => {
    deepStrictEqual(await Promise.all([store.claim('ann'), store.claim('ben')]), ['ann', 'ann'])
    const identity = await store.attempt('device')
    deepStrictEqual([identity.user, identity.device], ['ann', 'device'])
  })

  test('starts a fresh device at the heads, and what appears later at `joined`', async (store) => {
    await begin(store, [head(7)])
    const [old, later] = await store.meet([head(9), head(9, { conversation: 'd', joined: 4 })])
    deepStrictEqual([old!.base, old!.applied, old!.tail], [7, 7, tail(7)])
    deepStrictEqual([later!.base, later!.applied, later!.tail], [4, 4, ''])
    const identity = await store.attempt('x')
    deepStrictEqual([identity.seeded, identity.epoch], [true, 'epoch'])
  })

  test('applies only what follows', async (store) => {
    await begin(store)
    strictEqual((await store.apply('c', [entry(2)])).added, 0)
    strictEqual((await store.apply('c', entries(1, 3))).added, 3)
    strictEqual((await store.apply('c', entries(2, 4))).added, 1)
    strictEqual((await store.apply('c', [entry(5), entry(7)])).state?.applied, 5)
    strictEqual((await store.apply('unknown', [entry(1)])).state, undefined)
    deepStrictEqual(await store.messages('c', 3, 10), entries(4, 5))
    deepStrictEqual(await store.messages('c', 1, 2), entries(2, 3))
    strictEqual((await store.last('c', 4))?.seq, 4)
    strictEqual(await store.last('c', 0), undefined)
    strictEqual((await store.conversation('c'))?.tail, tail(5))
  })

  test('applies each entry once, whoever else applies it', async (store) => {
    await begin(store)
    const added = await Promise.all(Array.from({ length: 20 }, () => store.apply('c', entries(1, 5))))
    strictEqual(
      added.reduce((sum, result) => sum + result.added, 0),
      5,
    )
    strictEqual((await store.messages('c', 0, 100)).length, 5)
  })

  test('deletes the row of an own entry with it, failed or not, and tells', async (store) => {
    const changes = await begin(store)
    for (const cid of ['a', 'b', 'old']) await store.enqueue(row(cid), NO_LIMITS)
    await store.fail('c', 'b', 'blocked')
    await store.apply('c', [entry(1, { cid: 'a' }), mine(2, 'a'), mine(3, 'b')])
    await store.apply('c', [mine(1, 'old')])
    deepStrictEqual([await store.queued('c', 9), await store.outgoing()], [[], []])
    deepStrictEqual(
      changes.flatMap((change) => (change.kind === 'sent' ? [[change.cid, change.seq]] : [])),
      [
        ['a', 2],
        ['b', 3],
        ['old', 1],
      ],
    )
    deepStrictEqual(await store.outcome('c', 'a'), { state: 'stored', seq: 2, id: entry(2).id, at: 1 })
  })

  test('queues in order, once per cid, within its limits', async (store) => {
    await begin(store)
    const results = await Promise.all(['a', 'b', 'c', 'a'].map((cid) => store.enqueue(row(cid), NO_LIMITS)))
    deepStrictEqual(results, ['queued', 'queued', 'queued', 'present'])
    strictEqual(await store.enqueue(row('a', { content: 'other' }), NO_LIMITS), 'conflict')
    strictEqual(await store.enqueue(row('a', { conversation: 'd' }), NO_LIMITS), 'queued')
    strictEqual(await store.enqueue(row('x'), { ...NO_LIMITS, items: 4 }), 'full')
    strictEqual(await store.enqueue(row('x'), { ...NO_LIMITS, bytes: 60 }), 'full')
    strictEqual(await store.enqueue(row('x'), { ...NO_LIMITS, oldest: 1_001 }), 'full')
    strictEqual(await store.fail('c', 'b', 'blocked'), true)
    strictEqual(await store.fail('c', 'b', 'blocked'), false)
    deepStrictEqual(
      (await store.queued('c', 9)).map((item) => item.cid),
      ['a', 'c'],
    )
    deepStrictEqual(
      (await store.queued('c', 1)).map((item) => item.cid),
      ['a'],
    )
    deepStrictEqual((await store.waiting()).sort(), ['c', 'd'])
    deepStrictEqual(await store.outcome('c', 'b'), { state: 'failed', code: 'blocked' })
    const rows = (await store.outgoing('c')).map(({ cid, failed }) => [cid, failed])
    deepStrictEqual(rows, [
      ['a', undefined],
      ['b', 'blocked'],
      ['c', undefined],
    ])
    deepStrictEqual((await store.outgoing()).map(({ conversation }) => conversation).sort(), ['c', 'c', 'c', 'd'])
    deepStrictEqual(await store.outgoing('unknown'), [])
    await store.discard('c', 'b')
    await store.discard('c', 'a')
    deepStrictEqual([await store.outcome('c', 'b'), await store.outcome('c', 'a')], [undefined, { state: 'queued' }])
  })

  test('replaces a row that was set aside by one that waits behind all others', async (store) => {
    const changes = await begin(store)
    await store.enqueue(row('a', { meta: { x: 1 } }), NO_LIMITS)
    await store.enqueue(row('b'), NO_LIMITS)
    const fresh = { cid: 'new', queuedAt: 2_000 }
    strictEqual(await store.retry('c', 'a', fresh), false)
    await store.fail('c', 'a', 'blocked')
    deepStrictEqual(await Promise.all([store.retry('c', 'a', fresh), store.retry('c', 'a', fresh)]), [true, false])
    deepStrictEqual(await store.outgoing('c'), [row('b'), row('a', { meta: { x: 1 }, ...fresh })])
    strictEqual(await store.outcome('c', 'a'), undefined)
    deepStrictEqual(
      changes.flatMap((change) => ('cid' in change ? [[change.kind, change.cid]] : [])),
      [
        ['queued', 'a'],
        ['queued', 'b'],
        ['failed', 'a'],
        ['discarded', 'a'],
        ['queued', 'new'],
      ],
    )
  })

  test('tells every watcher what is stored nowhere', async (store) => {
    const changes = await begin(store)
    store.tell({ kind: 'flight', conversation: 'c', cids: ['a'] })
    deepStrictEqual(changes, [{ kind: 'flight', conversation: 'c', cids: ['a'] }])
  })

  test('skips entries that are gone, from where it stands', async (store) => {
    const changes = await begin(store)
    strictEqual(await store.skip('c', 3, 5, 'tail'), false)
    strictEqual(await store.skip('c', 0, 5, 'tail'), true)
    const state = await store.conversation('c')
    deepStrictEqual([state?.applied, state?.tail], [5, 'tail'])
    ok(changes.some((change) => change.kind === 'gap' && change.from === 1 && change.to === 5))
  })

  test('does not set aside what a newer socket sends as well', async (store) => {
    await begin(store)
    await store.enqueue(row('a'), NO_LIMITS)
    const { attempt } = await store.attempt('d'.repeat(22))
    await store.attempt('d'.repeat(22))
    strictEqual(await store.fail('c', 'a', 'blocked', attempt), false)
    deepStrictEqual(await store.outcome('c', 'a'), { state: 'queued' })
    strictEqual(await store.fail('c', 'a', 'blocked', attempt + 1), true)
    deepStrictEqual(await store.outcome('c', 'a'), { state: 'failed', code: 'blocked' })
  })

  test('goes back below its own beginning', async (store) => {
    await begin(store, [head(6)])
    await store.reset('c', { resets: 0, to: 2, tail: '', marks: [], at: 1 })
    const state = await store.conversation('c')
    deepStrictEqual([state?.base, state?.applied], [2, 2])
  })

  test('merges marks by max, and tells only what grew', async (store) => {
    const changes = await begin(store)
    await store.apply('c', entries(1, 2))
    changes.length = 0
    await store.mark('c', [['ben', 3, 1]])
    await store.mark('c', [['ben', 2, 2]])
    await store.mark('c', [['ben', 1, 1]])
    await store.move('c', { read: 2 })
    await store.move('c', { read: 1 })
    const state = await store.conversation('c')
    deepStrictEqual([state?.marks, state?.read], [[['ben', 3, 2]], 2])
    deepStrictEqual(
      changes.map((change) => change.kind),
      ['marks', 'marks', 'read'],
    )
  })

  resetCases(test, begin)
  unreadCases(test, begin)

  test('has one leader at a time, and hands over', async (store) => {
    const granted: string[] = []
    const asked = (name: string) => {
      let release = () => {}
      const led = new Promise<void>((resolve) => {
        release = store.lead(() => {
          granted.push(name)
          resolve()
        })
      })
      return { led, release }
    }
    const [one, two, three] = [asked('one'), asked('two'), asked('three')]
    await one.led
    two.release()
    one.release()
    await three.led
    deepStrictEqual(granted, ['one', 'three'])
  })
  test('forgets everything when it is wiped, and tells', async (store) => {
    const changes = await begin(store)
    await store.enqueue(row('a'), NO_LIMITS)
    await store.apply('c', [entry(1)])
    await store.wipe()
    strictEqual(changes.at(-1)?.kind, 'wiped')
  })
}
