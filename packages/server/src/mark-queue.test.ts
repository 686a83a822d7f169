import { describe, expect, it } from 'vitest'
import { MarkQueue } from './mark-queue.js'
import type { Mark } from './store.js'

const mark = (user: string, delivered: number): Mark => ({ conversation: 'c1', user, delivered, read: 0 })

const heads = async () => []

describe('MarkQueue', () => {
  it('merges together what comes while the store is busy, and gives each its own', async () => {
    const calls: (readonly Mark[])[] = []
    const queue = new MarkQueue({
      heads,
      mark: async (marks) => {
        calls.push(marks)
        return marks.map((one) => ({ ...one, read: one.delivered }))
      },
    })
    const first = queue.merge([mark('ann', 1)])
    const others = [queue.merge([mark('ben', 2), mark('cyd', 3)]), queue.merge([mark('ann', 4)])]
    expect(await queue.merge([])).toEqual([])
    expect((await first).map(({ read }) => read)).toEqual([1])
    expect((await Promise.all(others)).map((list) => list.map(({ read }) => read))).toEqual([[2, 3], [4]])
    expect(calls.map(({ length }) => length)).toEqual([1, 3])
    expect(queue.size).toBe(0)
  })

  it('rejects those of a merge that failed, and goes on', async () => {
    let failing = true
    const queue = new MarkQueue({
      heads,
      mark: async (marks) => {
        if (failing) throw new Error('down')
        return [...marks]
      },
    })
    await expect(queue.merge([mark('ann', 1)])).rejects.toThrow('down')
    failing = false
    expect(await queue.merge([mark('ann', 1)])).toHaveLength(1)
  })

  it('asks once for the heads of what devices tell, and takes nothing beyond them', async () => {
    const calls: unknown[] = []
    const queue = new MarkQueue({
      heads: async (conversations) => {
        calls.push(conversations)
        return conversations.map((conversation) => ({ conversation, head: 3, first: 1, tail: '' }))
      },
      mark: async (marks) => {
        calls.push(marks.map(({ user }) => user))
        return [...marks]
      },
    })
    const first = queue.tell(mark('ann', 1))
    const told = [queue.tell(mark('ben', 4)), queue.tell({ ...mark('cyd', 3), seen: 4 }), queue.tell(mark('dan', 3))]
    expect(await first).toEqual({ merged: mark('ann', 1), head: 3 })
    expect(await Promise.all(told)).toEqual([undefined, undefined, { merged: mark('dan', 3), head: 3 }])
    expect(calls).toEqual([['c1'], ['ann'], ['c1'], ['dan']])
    expect(await queue.tell(mark('ben', 4))).toBeUndefined()
    expect(calls).toHaveLength(5)
  })

  it('lets a store say when what arrived is to be merged', async () => {
    const flushes: (() => void)[] = []
    const calls: number[] = []
    const queue = new MarkQueue({
      heads,
      gather: (flush) => void flushes.push(flush),
      mark: async (marks) => {
        calls.push(marks.length)
        return [...marks]
      },
    })
    const merged = [queue.merge([mark('ann', 1)]), queue.merge([mark('ben', 2)])]
    expect([flushes.length, calls, queue.size]).toEqual([1, [], 3])
    flushes[0]!()
    await Promise.all(merged)
    expect(calls).toEqual([2])
  })
})
