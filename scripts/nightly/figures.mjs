import { readFileSync, writeFileSync } from 'node:fs'
import { root } from '../pnpm.mjs'

/** The figures that docs/reliability.md shows, and the document, whose table is generated from them. */
export const FIGURES = `${root}docs/reliability.json`
export const DOCUMENT = `${root}docs/reliability.md`

const BEGIN = '<!-- figures: written by `npm run nightly -- --write-docs` -->'
const END = '<!-- end of figures -->'

const number = (value) => value.toLocaleString('en')

/**
 * 95 % bound of the probability that a run fails, after n independent runs of which none did: 3/n (the rule of three).
 * Runs that go through a list are not drawn, and have none.
 */
export function bound({ runs, violations, hangs, drawn }) {
  if (!drawn || runs === 0 || violations + hangs > 0) return '–'
  const value = 3 / runs
  const exponent = Math.floor(Math.log10(value))
  const digits = Math.ceil((value / 10 ** exponent) * 10 - 1e-9) / 10
  return exponent >= -2 ? `${Math.ceil(value * 1_000) / 10} %` : `${digits} · 10${superscript(exponent)}`
}

const superscript = (value) =>
  [...String(value)].map((sign) => (sign === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(sign)])).join('')

export function time(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export function rate({ runs, seconds }) {
  const each = runs / Math.max(seconds, 0.001)
  return each >= 10 ? number(Math.round(each)) : each.toFixed(1)
}

/** The section between the markers. */
export function sectionOf({ layers }) {
  const machines = [...new Set(layers.map(({ machine }) => machine))]
  const rows = layers.map((layer) => {
    const { name, unit, runs, violations, hangs, seconds, figures, date, commit, machine } = layer
    const what = figures ? `${name} (${figures})` : name
    const where = machines.length > 1 ? `, machine ${machines.indexOf(machine) + 1}` : ''
    const cells = [what, `${number(runs)} ${unit}`, violations, hangs, time(seconds), `${rate(layer)}/s`, bound(layer)]
    return `| ${[...cells, `${date}, \`${commit}\`${where}`].join(' | ')} |`
  })
  const head = ['what ran', 'runs', 'violations', 'hangs', 'time', 'rate', 'a run fails with less than', 'when, commit']
  const { histogram } = layers.find((layer) => layer.histogram) ?? {}
  return [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...rows,
    '',
    ...(histogram ? [...crossTable(histogram), ''] : []),
    ...machines.map((machine, index) => `Machine${machines.length > 1 ? ` ${index + 1}` : ''}: ${machine}.`),
  ].join('\n')
}

/** How often each fault struck, and during what; one that strikes during two things counts for both. */
function crossTable(histogram) {
  const sum = (phase) => Object.values(histogram).reduce((total, cells) => total + (cells[phase] ?? 0), 0)
  const phases = [...new Set(Object.values(histogram).flatMap(Object.keys))].sort((a, b) => sum(b) - sum(a))
  const faults = Object.entries(histogram).sort(([, one], [, other]) => other.all - one.all)
  return [
    `| fault of the simulation | ${phases.join(' | ')} |`,
    `|---|${phases.map(() => '---:').join('|')}|`,
    ...faults.map(([fault, cells]) => `| ${fault} | ${phases.map((phase) => number(cells[phase] ?? 0)).join(' | ')} |`),
  ]
}

/** The document with the section in place of the one that it has. */
export function withSection(document, section) {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`docs/reliability.md lacks the markers ${BEGIN} and ${END}.`)
  return `${document.slice(0, begin + BEGIN.length)}\n${section}\n${document.slice(end)}`
}

/** Puts new rows in place of those of the same layers, in the order of `ids`, and writes figures and document. */
export function writeFigures(rows, ids) {
  const before = JSON.parse(readFileSync(FIGURES, 'utf8')).layers
  const all = new Map([...before, ...rows].map((row) => [row.id, row]))
  const layers = ids.flatMap((id) => all.get(id) ?? [])
  writeFileSync(FIGURES, `${JSON.stringify({ layers }, null, 2)}\n`)
  writeFileSync(DOCUMENT, withSection(readFileSync(DOCUMENT, 'utf8'), sectionOf({ layers })))
}
