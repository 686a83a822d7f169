import { expect, it } from 'vitest'
import { backoff, between } from './backoff.js'

it('draws from a window that doubles up to 20 s', () => {
  const widest = Array.from({ length: 8 }, (_, tries) => backoff(() => 1, tries))
  expect(widest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000])
  expect(backoff(() => 0, 9)).toBe(0)
  expect(backoff(() => 0.5, 1_000_000)).toBe(10_000)
})

it('waits at least as long as the server asked for', () => {
  expect(backoff(() => 0, 0, [2_000, 5_000])).toBe(2_000)
  expect(backoff(() => 1, 9, [2_000, 5_000])).toBe(20_000)
  expect(between(() => 0.5, [5_000, 30_000])).toBe(17_500)
})
