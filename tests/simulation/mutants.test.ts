import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { MUTANTS } from './mutants.js'

const root = new URL('../../', import.meta.url)

it('plants each error in a text that stands there exactly once', () => {
  for (const { name, edits } of MUTANTS)
    for (const { file, text } of edits)
      expect(readFileSync(new URL(file, root), 'utf8').split(text).length - 1, `${name}: ${text}`).toBe(1)
})

it('has at least thirty, each of its own name', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  expect(MUTANTS.length).toBeGreaterThanOrEqual(30)
})
