import type { Plugin } from 'esbuild'
import { crew, type Total } from './crew.js'
import { runMutants } from './mutation.js'
import { readOptions } from './options.js'
import { runOne } from './run.js'
import { serve } from './worker.js'

export type Bundle = (root: string, name: string, entry: string, plugins?: Plugin[]) => Promise<string>

/** The command. Answers with the exit code. */
export async function main(args: readonly string[], tools: { root: string; bundle: Bundle }): Promise<number> {
  const options = readOptions(args)
  if (options.mutants !== undefined) return runMutants(options, tools)
  if (options.seed !== undefined) return replay(options.seed, options.explain)
  const total = await crew(__filename, options)
  print(total)
  return total.violations.length === 0 ? 0 : 1
}

/** Runs one seed twice: the same seed must be the same run, to the last byte on the wire. */
async function replay(seed: number, explain: boolean): Promise<number> {
  const run = await runOne(seed, { explain })
  const again = await runOne(seed, { explain: false })
  for (const line of run.lines) console.log(line)
  if (explain) console.log()
  const different = run.hash !== again.hash
  if (different) run.violations.push(`replay ${run.hash} and ${again.hash} are two different runs`)
  const faults = Object.values(run.faults).reduce((sum, count) => sum + count, 0)
  const violations = run.violations.map((what) => ({ seed, what }))
  print({ seeds: 1, faults, histogram: run.faults, violations, events: run.events, seconds: 0, workers: 1 })
  console.log(`log hash ${run.hash}`)
  return run.violations.length === 0 ? 0 : 1
}

function print(total: Total): void {
  const rows = Object.entries(total.histogram).sort(([, a], [, b]) => b - a)
  for (const [name, count] of rows) console.log(`${String(count).padStart(9)}  ${name}`)
  for (const { seed, what } of total.violations.slice(0, 40)) console.log(`seed ${seed}: ${what}`)
  if (total.violations.length > 40) console.log(`and ${total.violations.length - 40} more`)
  if (total.seconds > 0) {
    const rate = total.seeds / total.seconds
    console.log(
      `${rate.toFixed(0)} seeds/s on ${total.workers} workers, ${(total.events / total.seeds).toFixed(0)} events a seed`,
    )
  }
  console.log(`${total.seeds} seeds, ${total.faults} faults, ${total.violations.length} violations`)
}

serve()
