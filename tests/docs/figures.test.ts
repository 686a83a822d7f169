import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { root } from '../packaging/packages.js'

interface Layer {
  runs: number
  violations: number
  hangs: number
  drawn: boolean
}

const { bound, sectionOf, withSection } = (await import(
  pathToFileURL(join(root, 'scripts/nightly/figures.mjs')).href
)) as {
  bound(layer: Layer): string
  sectionOf(figures: { layers: readonly object[] }): string
  withSection(document: string, section: string): string
}

describe('the figures of docs/reliability.md', () => {
  it('are those of docs/reliability.json, which a run has written', () => {
    const document = readFileSync(join(root, 'docs/reliability.md'), 'utf8')
    const figures = JSON.parse(readFileSync(join(root, 'docs/reliability.json'), 'utf8'))
    expect(withSection(document, sectionOf(figures))).toBe(document)
  })

  it.each([
    [300, '1 %'],
    [7_000, '4.3 · 10⁻⁴'],
    [1_000_000, '3 · 10⁻⁶'],
  ])('say after %s runs without a failure: below %s', (runs, said) => {
    expect(bound({ runs, violations: 0, hangs: 0, drawn: true })).toBe(said)
  })

  it('say no bound where something failed, or nothing was drawn', () => {
    expect(bound({ runs: 300, violations: 1, hangs: 0, drawn: true })).toBe('–')
    expect(bound({ runs: 300, violations: 0, hangs: 1, drawn: true })).toBe('–')
    expect(bound({ runs: 300, violations: 0, hangs: 0, drawn: false })).toBe('–')
  })
})
