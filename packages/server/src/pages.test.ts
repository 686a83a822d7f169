import { describe, expect, it } from 'vitest'
import { readPage } from './pages.js'
import type { Entry, Store } from './store.js'
import { MemoryStore } from './stores/memory.js'

const items = [1, 2, 3, 4].map((number) => ({ cid: `${number}`, type: 'text', content: `no. ${number}` }))

async function filled(): Promise<MemoryStore> {
  const store = new MemoryStore()
  await store.append([{ conversation: 'c', from: 'ann', items }])
  return store
}

const seqs = (page: object) => (page as { items: Entry[] }).items.map(({ seq }) => seq)

describe('a page', () => {
  it('asks a store that is far away for the head and the entries at once', async () => {
    const store = await filled()
    const asked: string[] = []
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const slow = {
      heads: async (conversations: readonly string[]) => {
        asked.push('heads')
        await answered
        return store.heads(conversations)
      },
      read: async (...args: Parameters<Store['read']>) => {
        asked.push('read')
        await answered
        return store.read(...args)
      },
    } as Store
    const page = readPage(slow, 'c', ['ann', 'ben'], { after: 0, limit: 10 })
    expect(asked).toEqual(['heads', 'read'])
    answer()
    expect(seqs(await page)).toEqual([1, 2, 3, 4])
  })

  it('has nothing below what retention has left, also if that came after the entries were read', async () => {
    const store = await filled()
    const before = await store.read('c', { after: 0, limit: 10 })
    const racing = {
      heads: async (conversations: readonly string[]) => {
        await store.retain('c', 3)
        return store.heads(conversations)
      },
      read: async () => before,
      tail: store.tail.bind(store),
    } as Partial<Store> as Store
    const page = await readPage(racing, 'c', ['ann', 'ben'], { after: 0, limit: 10 })
    expect(seqs(page)).toEqual([3, 4])
    expect(page).toMatchObject({ head: 4, first: 3, tail: before[1]!.id.slice(-8) })
  })
})
