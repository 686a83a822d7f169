import { expect, it } from 'vitest'
import { inMacrotask, provenDrain } from './drain.js'

it('drains every promise in the macrotask that asked, and says so where it cannot', async () => {
  const order = await inMacrotask(() => {
    const drain = provenDrain()
    const seen: number[] = []
    const work = async () => {
      for (let step = 0; step < 3; step++) {
        await Promise.resolve().then(() => undefined)
        seen.push(step)
      }
    }
    void work()
    drain()
    return [...seen, 'returned']
  })
  expect(order).toEqual([0, 1, 2, 'returned'])
  // Behind an await this is a microtask, in which no checkpoint happens.
  expect(() => provenDrain()).toThrow('macrotask')
})
