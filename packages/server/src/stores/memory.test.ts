import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { storeConformance } from '../testing/store-conformance.js'
import { MemoryStore } from './memory.js'

it('does not grow by reading unknown conversations', async () => {
  const store = new MemoryStore()
  expect(await store.heads(['a'])).toEqual([{ conversation: 'a', head: 0, first: 1, tail: '' }])
  expect(await store.read('a', { after: 0, limit: 10 })).toEqual([])
  expect(await store.find('a', 'ann', ['x'])).toEqual([undefined])
  expect(await store.marks(['a'])).toEqual([])
  expect(store.durable).toBe(false)
})

it('takes time and ids from the runtime', async () => {
  const once = async () => {
    const store = new MemoryStore({ runtime: new FakeClock() })
    return store.append([{ conversation: 'c', from: 'ann', items: [{ cid: '1', type: 'text', content: 'hi' }] }])
  }
  expect(await once()).toEqual(await once())
})

it('rejects every call after close', async () => {
  const store = new MemoryStore()
  await store.close()
  await expect(store.append([])).rejects.toMatchObject({ code: 'closed' })
  await expect(store.friendships.get('f')).rejects.toMatchObject({ code: 'closed' })
})

storeConformance({
  describe,
  it,
  name: 'MemoryStore',
  open: async () => new MemoryStore(),
  // What two parts of a process share is the one object.
  second: async (store) => store,
})
