import { parseArgs } from 'node:util'
import { PEERS, type Peer, REFERENCE } from './peers.js'
import { allWorkloads, smokeWorkloads } from './workloads/all.js'
import type { Workload } from './workloads/workload.js'

const USAGE = `npm run bench -- [options]

Compares servers under load: each a process of its own, in turns, with fresh data. See bench/README.md.
  --only workload,…  these workloads alone
  --peers peer,…     these peers alone
  --runs n           rounds of each workload (default 5; with --smoke 1)
  --seconds n        how long traffic is measured in each run (default 4)
  --smoke            everything small: does it work, is it exact? Says nothing of speed
  --against ref      compares Kithwire of another commit with this one, in the same rounds
  --profile          tells in which functions each server's main thread spent its time
  --write-docs       puts the figures into docs/performance.md
  --list             lists workloads and peers
  --growth [--to n]  how storage costs grow with a conversation, up to n entries (default 100,000)`

/** For `--against`, unless others are named. */
const COMPARED = [REFERENCE, 'sqlite']
const COMPARED_IN = ['users-200', 'in-flight-16', 'users-2000', 'one-way', 'users-20']

export interface Options {
  workloads: readonly Workload[]
  peers: readonly Peer[]
  runs: number
  smoke: boolean
  list: boolean
  profile: boolean
  writeDocs: boolean
  against: string | undefined
}

/** Reads the command line; ends the process with a hint if that cannot be read. */
export function readOptions(argv: readonly string[]): Options {
  try {
    return read(argv)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    process.exit(1)
  }
}

function read(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      runs: { type: 'string' },
      seconds: { type: 'string', default: '4' },
      smoke: { type: 'boolean', default: false },
      against: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
    },
  })
  const { smoke, against, list } = values
  const runs = positive('runs', values.runs ?? (smoke ? '1' : '5'))
  const measureMs = positive('seconds', values.seconds) * 1_000
  const workloads = smoke ? smokeWorkloads() : allWorkloads({ warmMs: Math.min(3_000, measureMs), measureMs })
  const only =
    values.only?.split(',') ??
    (against ? COMPARED_IN.filter((id) => workloads.some((each) => each.id === id)) : undefined)
  const named = values.peers?.split(',') ?? (against ? COMPARED : undefined)
  return {
    ...{ smoke, against, list, runs, writeDocs: values['write-docs'], profile: values.profile },
    workloads: chosen('only', workloads, only),
    peers: chosen('peers', PEERS, named),
  }
}

function chosen<T extends { id: string }>(
  option: string,
  all: readonly T[],
  ids: readonly string[] | undefined,
): readonly T[] {
  if (ids === undefined) return all
  const unknown = ids.filter((id) => !all.some((each) => each.id === id))
  if (unknown.length > 0)
    throw new Error(`--${option}: there is no ${unknown.join(', ')}; there are ${all.map(({ id }) => id).join(', ')}`)
  return all.filter(({ id }) => ids.includes(id))
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${option}: expected a number above 0, came ${text}`)
  return value
}
