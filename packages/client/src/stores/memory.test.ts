import { expect, it } from 'vitest'
import { clientStoreConformance } from '../testing/client-store-conformance.js'
import { MemoryClientStore } from './memory.js'

clientStoreConformance('memory', () => new MemoryClientStore(), it)

it('queues 10,000 items in a time that grows with their number', async () => {
  const store = new MemoryClientStore()
  const limits = { items: 10_000, bytes: 32 << 20, oldest: 0 }
  for (let index = 0; index < 10_000; index++)
    await store.enqueue({ conversation: 'c', cid: `${index}`, type: 'text', content: 'x', queuedAt: 1 }, limits)
  expect(await store.queued('c', 20_000)).toHaveLength(10_000)
  expect(await store.enqueue({ conversation: 'd', cid: 'x', type: 'text', content: 'x', queuedAt: 1 }, limits)).toBe(
    'full',
  )
})
