import { writeFileSync } from 'node:fs'
import type { Plugin } from 'esbuild'
import { crew, type Total } from './crew.js'
import { hits, table } from './histogram.js'
import { runMutants } from './mutation.js'
import { type Options, readOptions } from './options.js'
import { runOne, type Without } from './run.js'
import { shrink } from './shrink.js'
import { serve } from './worker.js'

export type Bundle = (root: string, name: string, entry: string, plugins?: Plugin[]) => Promise<string>

/** The command. Answers with the exit code. */
export async function main(args: readonly string[], tools: { root: string; bundle: Bundle }): Promise<number> {
  const options = readOptions(args)
  if (options.mutants !== undefined) return runMutants(options, tools)
  if (options.seed !== undefined) return replay(options.seed, options)
  const total = await crew(__filename, options)
  print(total)
  if (options.report) report(options.report, total, options)
  return total.violations.length === 0 ? 0 : 1
}

/** Runs one seed again and again: the same seed must be the same run, to the last byte on the wire. */
async function replay(seed: number, { explain, whole, replays }: Options): Promise<number> {
  const run = await runOne(seed, { explain })
  for (let again = 1; again < replays; again++) {
    const { hash } = await runOne(seed, { explain: false })
    if (hash === run.hash) continue
    run.violations.push(`replay ${run.hash} and ${hash} are two different runs`)
    break
  }
  if (explain) for (const line of await explained(run, whole)) console.log(line)
  const violations = run.violations.map((what) => ({ seed, what }))
  print({ seeds: 1, histogram: run.faults, violations, events: run.events, seconds: 0, workers: 1 })
  console.log(`log hash ${run.hash}, the same in ${replays} runs`)
  return run.violations.length === 0 ? 0 : 1
}

/** What happened; of a run that fails, only what it needs to fail. */
async function explained(run: Awaited<ReturnType<typeof runOne>>, whole: boolean): Promise<string[]> {
  if (whole || run.violations.length === 0) return [...run.lines, '']
  const without = await shrink(run)
  const shrunk = await runOne(run.seed, { explain: true, without })
  const marks = run.violations.some((what) => /delivered|marks/.test(what))
  const left = (of: Without[keyof Without], all: number) => `${all - of.size} of ${all}`
  return [
    ...shrunk.lines.filter((line) => !NOISE.test(line) && (marks || !line.includes('"t":"cursor"'))),
    '',
    `Left of the run: ${left(without.faults, run.tried)} faults, ${left(without.doings, run.doings)} things that people did.`,
    ...shrunk.violations.map((what) => `  ${what}`),
    `--whole shows everything.`,
    '',
  ]
}

/** What seldom matters to whoever reads a trace. */
const NOISE = /"t":"(heartbeat|auth|ping|pong)"|"code":"token_expired"/

function print(total: Total): void {
  for (const line of table(total.histogram)) console.log(line)
  for (const { seed, what } of total.violations.slice(0, 40)) console.log(`seed ${seed}: ${what}`)
  if (total.violations.length > 40) console.log(`and ${total.violations.length - 40} more`)
  if (total.seconds > 0) {
    const rate = total.seeds / total.seconds
    console.log(
      `${rate.toFixed(0)} seeds/s on ${total.workers} workers, ${(total.events / total.seeds).toFixed(0)} events a seed`,
    )
  }
  console.log(`${total.seeds} seeds, ${hits(total.histogram)} faults, ${total.violations.length} violations`)
}

function report(file: string, total: Total, { first }: Options): void {
  const { seeds, violations, seconds, histogram, events, workers } = total
  const figures = {
    name: 'simulation',
    runs: seeds,
    violations: violations.length,
    hangs: violations.filter(({ what }) => what.startsWith('never ends')).length,
    seconds,
    details: { first, faults: hits(histogram), events, workers, histogram, violations: violations.slice(0, 40) },
  }
  writeFileSync(file, `${JSON.stringify(figures, undefined, 2)}\n`)
}

serve()
