import { parseArgs } from 'node:util'
import { bound, rate, time, writeFigures } from './nightly/figures.mjs'
import { chunksOf, layers } from './nightly/layers.mjs'
import { addUp, runChunk } from './nightly/run.mjs'
import { commitOf, machineOf, State } from './nightly/state.mjs'
import { install, pnpm } from './pnpm.mjs'

const USAGE = `npm run nightly -- [--only layer,…] [--scale 0.01] [--minutes M] [--write-docs] [--list]

Runs every layer of the proofs at its nightly size, and goes on where an earlier run of the same commit was interrupted.
  --only layer,…   these layers alone
  --scale X        sizes times X, for a rehearsal
  --minutes M      starts nothing new after M minutes
  --write-docs     puts the figures of the layers that are complete into docs/reliability.md
  --list           lists the layers, with what is done of each, and runs nothing`

process.exitCode = await main(readOptions())

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string' },
        scale: { type: 'string', default: '1' },
        minutes: { type: 'string', default: 'Infinity' },
        'write-docs': { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
      },
    })
    const names = values.only?.split(',') ?? layers.map(({ id }) => id)
    const unknown = names.filter((name) => !layers.some(({ id }) => id === name))
    if (unknown.length > 0)
      throw new Error(`--only: no layer ${unknown.join(', ')}; there are ${layers.map(({ id }) => id).join(', ')}`)
    const [scale, minutes] = [values.scale, values.minutes].map(Number)
    if (!(scale > 0)) throw new Error(`--scale: expected a number above 0, came ${values.scale}`)
    if (!(minutes > 0)) throw new Error(`--minutes: expected a number above 0, came ${values.minutes}`)
    return { ...values, scale, minutes, chosen: layers.filter(({ id }) => names.includes(id)) }
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exit(1)
  }
}

/** Answers with the exit code. */
async function main({ chosen, scale, minutes, list, 'write-docs': writeDocs }) {
  const commit = commitOf()
  if (writeDocs && !/^[0-9a-f]+$/.test(commit)) {
    console.error(`--write-docs: figures belong to a commit, and this is ${commit}. Commit what was changed first.`)
    return 1
  }
  const state = new State(commit)
  const plan = chosen.map((layer) => ({ layer, chunks: chunksOf(layer, scale), trouble: [] }))
  if (!list) await runAll(plan, state, performance.now() + minutes * 60_000)
  const rows = plan.map((part) => rowOf(part, state, commit))
  print(rows)
  if (list) return 0
  if (writeDocs) {
    const complete = rows.filter(({ left, trouble }) => left === 0 && trouble.length === 0)
    writeFigures(
      complete.map(({ left, trouble, ...row }) => row),
      layers.map(({ id }) => id),
    )
    console.log(`docs/reliability.md has the figures of ${complete.length} layers.`)
  }
  for (const { id, trouble } of rows) for (const text of trouble) console.error(`${id}: ${text}`)
  const left = rows.reduce((sum, row) => sum + row.left, 0)
  if (left > 0) console.log(`${left} chunks are left; the same command goes on with them.`)
  return rows.every(({ violations, hangs, trouble }) => violations + hangs + trouble.length === 0) ? 0 : 1
}

async function runAll(plan, state, deadline) {
  if (plan.every(({ layer, chunks }) => chunks.every((chunk) => state.get(layer, chunk)))) return
  install()
  pnpm('-r', '--filter', './packages/*', 'run', 'build')
  for (const { layer, chunks, trouble } of plan)
    for (const [index, chunk] of chunks.entries()) {
      if (state.get(layer, chunk)) continue
      if (performance.now() > deadline) return
      console.log(`\n══ ${layer.id} ${index + 1}/${chunks.length}: ${layer.name}`)
      const summary = await runChunk(layer, chunk, state.path(layer, chunk))
      if (summary.interrupted) return
      if (summary.trouble) {
        // Not remembered: it is tried again the next time. The rest of the layer would go the same way.
        trouble.push(summary.trouble)
        break
      }
      state.put(layer, chunk, { ...summary, date: new Date().toISOString().slice(0, 10), machine: machineOf() })
      console.log(`   ${summary.runs} ${layer.unit}, ${summary.violations} violations, ${time(summary.seconds)}`)
    }
}

function rowOf({ layer, chunks, trouble }, state, commit) {
  const done = chunks.map((chunk) => state.get(layer, chunk)).filter((summary) => summary !== undefined)
  const { id, name, unit, drawn = false } = layer
  const { details, ...sums } = addUp(done)
  const last = done.at(-1)
  const figures = done.length > 0 ? layer.figures?.(details) : undefined
  const histogram = done.length > 0 ? layer.histogram?.(details) : undefined
  const left = chunks.length - done.length
  return {
    id,
    name,
    unit,
    drawn,
    ...sums,
    figures,
    histogram,
    date: last?.date,
    machine: last?.machine,
    commit,
    left,
    trouble,
  }
}

function print(rows) {
  const table = rows.map((row) => [
    row.id,
    row.runs === 0 ? '–' : `${row.runs.toLocaleString('en')} ${row.unit}`,
    `${row.violations}`,
    `${row.hangs}`,
    time(row.seconds),
    row.runs === 0 ? '–' : `${rate(row)}/s`,
    bound(row),
    row.trouble.length > 0 ? 'did not run' : row.left > 0 ? `${row.left} chunks left` : 'complete',
  ])
  const all = [['layer', 'runs', 'violations', 'hangs', 'time', 'rate', 'fails below', ''], ...table]
  const widths = all[0].map((_, column) => Math.max(...all.map((cells) => cells[column].length)))
  console.log()
  for (const cells of all)
    console.log(
      cells
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
}
