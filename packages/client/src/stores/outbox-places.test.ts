import { expect, it } from 'vitest'
import { outboxPlaces } from './outbox-places.js'

it('leaves what has a place where it is', () => {
  expect(outboxPlaces([0, 3, 7], -1, [0, 3, 7], 8)).toEqual([0, 3, 7])
})

it('puts others evenly behind the one before them', () => {
  expect(outboxPlaces([undefined, undefined, undefined, 5, undefined], 1, [0, 1, 5], 6)).toEqual([2, 3, 4, 5, 5.5])
  expect(outboxPlaces([undefined], -1, [], 0)).toEqual([-0.5])
  expect(outboxPlaces([], -1, [], 0)).toEqual([])
})

it('gives none a place that another one has', () => {
  const taken = [0, 1, 2]
  for (let round = 0; round < 20; round++) taken.push(...outboxPlaces([undefined, undefined], -1, taken, 3))
  expect(new Set(taken).size).toBe(43)
  expect(taken.slice(3).every((place) => place > -1 && place < 0)).toBe(true)
})
