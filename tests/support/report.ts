import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** What a test layer did, for the table of `npm run nightly`. */
export interface Summary {
  /** The layer, as the table names it. */
  name: string
  /** Independent runs: kills, cuts, inputs, seeds, appends. */
  runs: number
  violations: number
  /** Runs that did not come to an end in time. */
  hangs: number
  seconds: number
  /** Whatever else a reader wants to know: counts by name, percentiles. */
  details?: Record<string, unknown>
}

/**
 * Adds a summary to the file that the environment variable REPORT names; does nothing without it. The file is a JSON
 * array, because several tests of one layer may have something to report. Call it before the first expectation: a
 * layer that fails has a row as well.
 */
export function report(summary: Summary): void {
  const file = process.env.REPORT
  if (!file) return
  const before: Summary[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
  writeFileSync(file, `${JSON.stringify([...before, summary], null, 1)}\n`)
}

/** The same, printed as well: figures that are worth a look without REPORT. */
export function summarize(summary: Summary): void {
  console.log(JSON.stringify(summary))
  report(summary)
}

/** A size that the environment may raise: KILLS=1000, for example. */
export function size(name: string, standard: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return standard
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new Error(`${name}: expected an integer of at least 1, came ${JSON.stringify(text)}.`)
}

/** Nearest-rank percentiles, rounded to `digits`. */
export function percentiles(values: readonly number[], digits = 0): { p50: number; p99: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => Number((sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(digits))
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
