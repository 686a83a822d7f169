import { expect, it } from 'vitest'
import { MemoryStore } from '../stores/memory.js'
import { brokenStores } from './broken-stores.js'
import { storeConformance } from './store-conformance.js'

/** The names of the cases that a store fails, all run to their end. */
async function failures(open: () => MemoryStore): Promise<string[]> {
  const cases: [string, () => Promise<void>][] = []
  storeConformance({
    describe: (_name, body) => body(),
    it: (name, body) => void cases.push([name, body]),
    name: 'broken',
    open: async () => open(),
    reopen: async (store) => (store.durable ? open() : store),
    second: async (store) => store,
    // A store in memory cannot be opened again; one that says it can is among the broken ones.
    ...(open().durable ? {} : { skip: NOT_DURABLE }),
  })
  const failed: string[] = []
  for (const [name, body] of cases) await body().catch(() => failed.push(name))
  return failed
}

const NOT_DURABLE = {
  reopening: 'not durable',
  'has its rows after it was closed and opened again': 'not durable',
}

it('passes a store without a fault', async () => {
  expect(await failures(() => new MemoryStore())).toEqual([])
})

it.each(brokenStores.map((broken) => [broken.open.name, broken] as const))(
  'finds a store that %s',
  async (_, broken) => {
    expect(await failures(() => new broken.open())).toEqual(expect.arrayContaining([...broken.caught]))
  },
)

it('refuses a skip without a reason or of a case that does not exist', () => {
  const runner = { describe: (_name: string, body: () => void) => body(), it: () => {} }
  const register = (skip: Record<string, string>) => () =>
    storeConformance({ ...runner, name: 'any', open: async () => new MemoryStore(), skip })
  expect(register({ friendships: '' })).toThrow('reason')
  expect(register({ freindships: 'none' })).toThrow('freindships')
  expect(register({ friendships: 'the app has its own' })).not.toThrow()
})
