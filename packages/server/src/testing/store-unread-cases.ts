import type { Mark } from '../store.js'
import { type Case, same } from './conformance.js'
import { put, range, type StoreBench, text } from './store-bench.js'

const place = (user: string, delivered: number, read: number, seen?: number): Mark => {
  return { conversation: 'c', user, delivered, read, ...(seen !== undefined && { seen }) }
}

/** What counts as unread, and from where on. */
export const unreadCases: Case<StoreBench>[] = [
  {
    group: 'unread',
    name: 'counts the entries of others that are something to read',
    async run({ open }) {
      const store = await open()
      const kinds = ['text', 'emoji', 'file', 'reaction', 'text.edit', 'text']
      for (const [index, type] of kinds.entries()) await put(store, 'c', 'ben', { ...text(index + 1), type })
      await put(store, 'c', 'ann', text(7), text(8))
      await put(store, 'c', 'cleo\u0000', text(9))
      await put(store, 'd', 'ben', text(1))
      const count = async (except: string, after: number, to: number, conversation = 'c') =>
        (await store.count([{ conversation, except, after, to }]))[0]
      const counts = [await count('ann', 0, 9), await count('ben', 0, 9), await count('cleo\u0000', 0, 9)]
      same([...counts, await count('nobody', 0, 9)], [5, 3, 6, 7], 'all that others wrote')
      const parts = [
        await count('ann', 1, 3),
        await count('ann', 3, 5),
        await count('ann', 5, 99),
        await count('ann', 9, 9),
      ]
      same([...parts, await count('ann', 5, 2)], [2, 0, 2, 0, 0], 'parts of it')
      same([await count('ann', 0, 9, 'd'), await count('ann', 0, 9, 'unknown')], [1, 0], 'other conversations')
      const ranges = range(1, 30).map((n) => ({ conversation: 'c', except: 'ann', after: 0, to: n % 4 }))
      same(
        await store.count(ranges),
        ranges.map(({ to }) => to),
        'many at once, in the order asked',
      )
      same(await store.count([]), [], 'nothing')
      await store.retain('c', 3)
      same([await count('ann', 0, 9), await count('ann', 1, 3)], [3, 1], 'what retention has left')
    },
  },
  {
    group: 'unread',
    name: 'sets back what was seen, until `read` grows or it is set again',
    async run({ open, reopen }) {
      let store = await open()
      const mark = async (news: Mark) => (await store.mark([news]))[0]
      await put(store, 'c', 'ben', ...range(1, 9).map((n) => text(n)))
      same(await mark(place('ann', 6, 6)), place('ann', 6, 6), 'nothing set back')
      same(await mark(place('ann', 0, 0, 2)), place('ann', 6, 6, 2), 'set back')
      same(await mark(place('ann', 7, 6)), place('ann', 7, 6, 2), 'kept')
      same(await mark(place('ann', 7, 3, 5)), place('ann', 7, 6, 5), 'set again, further')
      same(await mark(place('ann', 7, 3, 1)), place('ann', 7, 6, 1), 'and less far')
      same(await mark(place('ben', 1, 1, 0)), place('ben', 1, 1, 0), 'of another user, at once')
      if (reopen && store.durable) store = await reopen(store)
      const byUser = async () => (await store.marks(['c'])).sort((one, other) => (one.user < other.user ? -1 : 1))
      same(await byUser(), [place('ann', 7, 6, 1), place('ben', 1, 1, 0)], 'all marks')
      same(await mark(place('ann', 8, 8)), place('ann', 8, 8), 'read further')
      same(await mark(place('ann', 8, 8, 4)), place('ann', 8, 8, 4), 'set back again')
      same(await mark(place('ann', 8, 8, 8)), place('ann', 8, 8), 'seen again')
      same(await mark(place('ann', 9, 9, 3)), place('ann', 9, 9, 3), 'read further and set back in one')
      const both = await store.mark([place('ann', 9, 9, 2), place('ben', 2, 2)])
      same(both, [place('ann', 9, 9, 2), place('ben', 2, 2)], 'two in one call')
    },
  },
]
