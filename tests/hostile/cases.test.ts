import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { HOSTILE_CASES } from './cases.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A title, or the name of a row of `it.each`, that begins with ids of the list: `'H2, H3 POST'`. */
const TITLE = /['"`]((?:[HOFJEAQRLXU][0-9]{1,2}(?:, | and | ))+)/g

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist') return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /(\.test|-cases)\.ts$/.test(entry.name) ? [path] : []
  })
}

/** The ids that tests name, here and beside the sources. */
function named(): Set<string> {
  const files = [join(root, 'tests'), join(root, 'packages')].flatMap(sources)
  const titles = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(TITLE)].map(([, ids]) => ids!))
  return new Set(titles.flatMap((ids) => ids.match(/[A-Z][0-9]+/g) ?? []))
}

it('every case of the hostile list has a test, or a reason why not', () => {
  const tested = named()
  const ids = HOSTILE_CASES.map(({ id }) => id)
  expect(ids.length).toBe(183)
  expect(new Set(ids).size).toBe(ids.length)
  expect([...tested].filter((id) => !ids.includes(id))).toEqual([])
  const untested = HOSTILE_CASES.filter(({ id, missing }) => missing === undefined && !tested.has(id))
  expect(untested).toEqual([])
  const both = HOSTILE_CASES.filter(({ id, missing }) => missing !== undefined && tested.has(id))
  expect(both.map(({ id }) => `${id} has a test, and needs no reason why not`)).toEqual([])
})
