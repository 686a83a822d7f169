import { parseArgs } from 'node:util'

export interface Options {
  seeds: number
  first: number
  /** One seed, run twice, instead of many. */
  seed: number | undefined
  explain: boolean
  /** With `explain`: the whole run, not only what a violation needs. */
  whole: boolean
  /** How often one seed is run: each time must be the same. */
  replays: number
  /** A file for the figures, as JSON. */
  report: string | undefined
  /** Ends at the first seed with a violation. */
  stop: boolean
  /** The mutants to run: all of them, or those whose name contains this. */
  mutants: string | undefined
  workers: number | undefined
}

const USAGE = `npm run simulate -- [--seeds N] [--first S] [--workers W] [--stop] [--report file]
npm run simulate -- --seed S [--explain [--whole]] [--replays N]
npm run simulate -- --mutants [name] [--report file]`

/** Reads the command line; an error says what was wrong and how it is used. */
export function readOptions(args: readonly string[]): Options {
  // `--mutants` may stand alone or be followed by a name, which parseArgs has no form for.
  const list = args.map((arg, index) =>
    args[index - 1] === '--mutants' && !arg.startsWith('-') ? `--mutant=${arg}` : arg,
  )
  try {
    const { values } = parseArgs({
      args: list,
      options: {
        seeds: { type: 'string', default: '2000' },
        first: { type: 'string', default: '1' },
        seed: { type: 'string' },
        explain: { type: 'boolean', default: false },
        whole: { type: 'boolean', default: false },
        replays: { type: 'string', default: '2' },
        report: { type: 'string' },
        stop: { type: 'boolean', default: false },
        mutants: { type: 'boolean', default: false },
        mutant: { type: 'string' },
        workers: { type: 'string' },
      },
    })
    return {
      seeds: natural('--seeds', values.seeds),
      first: natural('--first', values.first),
      seed: values.seed === undefined ? undefined : natural('--seed', values.seed),
      explain: values.explain,
      whole: values.whole,
      replays: natural('--replays', values.replays),
      report: values.report,
      stop: values.stop,
      mutants: values.mutant ?? (values.mutants ? '' : undefined),
      workers: values.workers === undefined ? undefined : natural('--workers', values.workers),
    }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function natural(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new Error(`${name}: expected an integer of at least 1, came ${text}`)
}
