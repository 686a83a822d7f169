import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { OutboxItem, StoreChange } from '../client-store.js'
import { clientStoreConformance } from '../testing/client-store-conformance.js'
import { FakeLocks } from '../testing/fake-locks.js'
import { entry, head, tail } from '../testing/script.js'
import { indexedDb } from './indexed-db.js'
import { type Database, openDatabase, STEPS } from './indexed-db-schema.js'

const LIMITS = { items: 1e6, bytes: 1e9, oldest: 0 }
const row = (cid: string): OutboxItem => ({ conversation: 'c', cid, type: 'text', content: cid, queuedAt: 1 })

let made = 0
const fresh = () => `test ${++made}`

beforeEach(() => void vi.stubGlobal('navigator', { locks: new FakeLocks() }))
afterEach(() => void vi.unstubAllGlobals())

clientStoreConformance('IndexedDB', () => indexedDb({ name: fresh() })(), it)

it('checks its options', () => {
  for (const options of [{ name: '' }, { keepMessages: 10 }, { openTimeoutMs: 0 }])
    expect(() => indexedDb(options)).toThrow(expect.objectContaining({ code: 'bad_option' }))
})

it('upgrades a database of an earlier version, and keeps what it holds', async () => {
  const name = fresh()
  const store = indexedDb({ name })()
  await store.attempt('device')
  await store.close()
  const next = [...STEPS, (db: Database) => void db.createObjectStore('later' as never)]
  const db = await openDatabase(name, () => {}, next)
  expect([db.version, [...(db.objectStoreNames as unknown as string[])].includes('later')]).toEqual([
    STEPS.length + 1,
    true,
  ])
  expect((await db.get('meta', 'device'))?.identity?.device).toBe('device')
  db.close()
})

it('makes room for a tab of a later version, and goes on in memory', async () => {
  const name = fresh()
  const store = indexedDb({ name })()
  await store.attempt('device')
  await store.enqueue(row('a'), LIMITS)
  const changes: StoreChange[] = []
  store.watch((change) => changes.push(change))
  const later = await openDatabase(name, () => {}, [...STEPS, () => {}])
  expect(await store.waiting()).toEqual(['c'])
  expect(store.durable).toBe(false)
  expect(changes).toMatchObject([{ kind: 'trouble', error: { code: 'not_durable' } }])
  await store.enqueue(row('b'), LIMITS)
  expect((await store.queued('c', 9)).map(({ cid }) => cid)).toEqual(['a', 'b'])
  later.close()
  await store.close()
})

it('keeps the messages that it is told to keep, and names where they begin', async () => {
  const store = indexedDb({ name: fresh(), keepMessages: 200 })()
  await store.attempt('device')
  await store.claim('ann')
  await store.meet([head(0)], { epoch: 'epoch', after: new Map() })
  const own = (seq: number) => entry(seq, { from: 'ann', cid: `own-${seq}` })
  for (let seq = 1; seq <= 1_000; seq++) await store.apply('c', [seq % 10 === 0 ? own(seq) : entry(seq)])
  const kept = await store.messages('c', 0, 1e6)
  expect(kept.length).toBeLessThan(400)
  const state = await store.conversation('c')
  expect([state?.base, state?.baseTail]).toEqual([kept[0]!.seq - 1, tail(kept[0]!.seq - 1)])
  expect(await store.outcome('c', 'own-10')).toBeUndefined()
  expect(await store.outcome('c', 'own-1000')).toMatchObject({ state: 'stored' })
  await store.reset('c', { resets: 0, to: 1, tail: tail(1), marks: [], at: 1 })
  expect((await store.conversation('c'))?.base).toBe(1)
  await store.close()
})

it('two tabs over one database hear of each other’s changes, and hand over the lead', async () => {
  const open = indexedDb({ name: fresh() })
  const [one, other] = [open(), open()]
  const heard = new Promise<StoreChange>((resolve) => void other.watch(resolve))
  await one.attempt('device')
  await one.enqueue(row('a'), LIMITS)
  expect(await heard).toEqual({ kind: 'queued', conversation: 'c', cid: 'a' })
  await new Promise<void>((granted) => void one.lead(granted))
  const led = new Promise<void>((granted) => void other.lead(granted))
  await one.close()
  await led
  await other.close()
  await expect(other.waiting()).rejects.toMatchObject({ code: 'closed' })
})
