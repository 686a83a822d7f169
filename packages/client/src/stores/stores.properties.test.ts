import 'fake-indexeddb/auto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { RUNS, RUNS_TIMEOUT } from '../../../protocol/src/testing/runs.js'
import type { ClientStore, StoreChange } from '../client-store.js'
import { entry, head } from '../testing/script.js'
import { fileStore } from './file.js'
import { indexedDb } from './indexed-db.js'
import { MemoryClientStore } from './memory.js'

const root = mkdtempSync(join(tmpdir(), 'kithwire-stores-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Something that a client does with its store; numbers are relative to where the conversation stands. */
type Deed = (store: ClientStore, conversation: string, tick: number) => Promise<unknown>

const conversation = fc.constantFrom('c', 'c', 'c', 'c', 'd')
const cid = fc.integer({ min: 0, max: 4 }).map((number) => `cid-${number}`)
const step = fc.integer({ min: -2, max: 2 })
const place = async (store: ClientStore, name: string) => (await store.conversation(name))?.applied ?? 0

const applies = fc
  .record({
    from: fc.constantFrom(-1, 1, 1, 2),
    own: fc.array(fc.option(cid), { minLength: 1, maxLength: 4, size: 'max' }),
  })
  .map(
    ({ from, own }): Deed =>
      async (store, conversation, tick) => {
        const first = Math.max(1, (await place(store, conversation)) + from)
        const items = own.map((mine, index) => {
          const id = `entry-${tick}-${String(first + index).padStart(8, '0')}`
          const content = tick % 5 === 0 ? '' : `content of ${mine}`
          const who = mine ? { from: 'ann', cid: mine, content } : { cid: `theirs-${tick}-${index}` }
          return entry(first + index, { conversation, id, ...who })
        })
        // A log holds a cid of an author once.
        const mine = own.filter((each) => each !== null)
        if (new Set(mine).size < mine.length) return undefined
        for (const each of mine) if ((await store.outcome(conversation, each))?.state === 'stored') return undefined
        return store.apply(conversation, items)
      },
  )

const queues = fc
  .record({
    cid,
    other: fc.integer({ max: 9 }),
    items: fc.constantFrom(2, 1e6, 1e6),
  })
  .map(
    ({ cid, other, items }): Deed =>
      (store, conversation, tick) => {
        const content = other === 0 ? 'other' : `content of ${cid}`
        return store.enqueue(
          { conversation, cid, type: 'text', content, queuedAt: tick },
          { items, bytes: 1e6, oldest: 0 },
        )
      },
  )

const fails = cid.map(
  (cid): Deed =>
    (store, conversation) =>
      store.fail(conversation, cid, 'blocked'),
)

const resets = fc.tuple(step, fc.boolean()).map(
  ([back, known]): Deed =>
    async (store, conversation, tick) => {
      const state = await store.conversation(conversation)
      const to = Math.max(0, (state?.applied ?? 0) - 1 - Math.abs(back))
      const resets = known ? (state?.resets.length ?? 0) : 9
      return store.reset(conversation, { resets, to, tail: `tail-${to}`, marks: [['ben', to, 0]], at: tick })
    },
)

const others: fc.Arbitrary<Deed> = fc.oneof(
  cid.map(
    (cid): Deed =>
      (store, conversation) =>
        store.fail(conversation, cid, 'blocked', 1),
  ),
  cid.map(
    (cid): Deed =>
      (store, conversation) =>
        store.discard(conversation, cid),
  ),
  cid.map(
    (cid): Deed =>
      (store, conversation, tick) => {
        return store.retry(conversation, cid, { cid: `again-${tick}`, queuedAt: tick })
      },
  ),
  step.map(
    (by): Deed =>
      async (store, conversation) => {
        const from = await place(store, conversation)
        return store.skip(conversation, from, from + by, `tail${from + by}`)
      },
  ),
  fc.nat(9).map(
    (mark): Deed =>
      (store, name) =>
        store.mark(name, [['ben', mark, mark >> 1]]),
  ),
  fc.nat(9).map(
    (read): Deed =>
      async (store, name) => {
        return store.move(name, { read: Math.min(read, await place(store, name)) })
      },
  ),
  fc.nat(9).map(
    (seen): Deed =>
      (store, name) =>
        store.move(name, { seen }),
  ),
  fc.nat(20).map(
    (seq): Deed =>
      (store, conversation) =>
        store.meet([head(seq, { conversation })]),
  ),
  fc.constant<Deed>((store) => store.attempt('device')),
  fc.constant<Deed>((store) => store.renew('device', 'another')),
)

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: applies },
  { weight: 6, arbitrary: queues },
  { weight: 2, arbitrary: fails },
  { weight: 2, arbitrary: resets },
  { weight: 5, arbitrary: others },
)

const sorted = <T extends { conversation: string }>(rows: readonly T[]): T[] =>
  [...rows].sort((one, other) =>
    one.conversation < other.conversation ? -1 : one.conversation > other.conversation ? 1 : 0,
  )

/** All that a store can be asked. */
async function look(store: ClientStore): Promise<unknown> {
  const parts: unknown[] = [
    sorted(await store.conversations()),
    sorted(await store.outgoing()),
    (await store.waiting()).sort(),
  ]
  for (const name of ['c', 'd']) {
    parts.push(await store.messages(name, 0, 1e6), await store.last(name, 3), await store.queued(name, 2))
    for (let number = 0; number < 5; number++) parts.push(await store.outcome(name, `cid-${number}`))
  }
  return parts
}

let made = 0

it(
  'every store answers and tells the same, whatever is done with it',
  () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(deed, conversation), { minLength: 20, maxLength: 60, size: 'max' }),
        async (deeds) => {
          const files = fileStore(join(root, `${++made}`))
          const stores = [new MemoryClientStore(), indexedDb({ name: `store ${made}` })(), files()]
          const told: StoreChange[][] = stores.map(() => [])
          for (const [index, store] of stores.entries()) store.watch((change) => void told[index]!.push(change))
          const same = async (run: (store: ClientStore) => Promise<unknown>) => {
            const [memory, ...others] = await Promise.all(stores.map(run))
            for (const answer of others) expect(answer).toEqual(memory)
          }
          await same((store) => store.attempt('device'))
          await same((store) => store.claim('ann'))
          await same((store) => store.meet([head(0)], { epoch: 'epoch', after: new Map() }))
          for (const [tick, [run, name]] of deeds.entries()) await same((store) => run(store, name, tick + 1))
          await same(look)
          for (const changes of told) expect(changes).toEqual(told[0])
          await stores[2]!.close()
          stores[2] = files()
          await same(look)
          await Promise.all(stores.map((store) => store.close()))
        },
      ),
      { numRuns: Math.ceil(RUNS.numRuns / 5), endOnFailure: true },
    ),
  RUNS_TIMEOUT,
)
