import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { bundleSources } from '../support/bundle.mjs'
import type { Options, Outcome } from './tally.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const outfile = `${root}node_modules/.cache/fuzz/main.cjs`

/** Bundles the children from the sources, so that they start in a blink. */
export const bundle = (): Promise<void> => bundleSources(root, 'tests/fuzz/main.ts', outfile)

/** Without a word for so long a child is hung: the slowest thing it does between two words takes some seconds. */
const SILENCE_MS = 60_000

/** Runs one kind of fuzzing in a process of its own. Rejects if it hangs or dies, naming the input it was at. */
export function fuzz(kind: string, options: Options): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = fork(outfile, [kind, JSON.stringify(options)], {
      execArgv: ['--expose-gc', '--enable-source-maps'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    let at = 0
    let outcome: Outcome | undefined
    const where = () => `SEED=${options.seed} KIND=${kind} INPUT=${at} or one of those behind it`
    const hung = () => {
      child.kill('SIGKILL')
      reject(new Error(`Expected an end, came none within ${SILENCE_MS} ms at ${where()}.`))
    }
    let timer = setTimeout(hung, SILENCE_MS)
    child.on('message', (message: { at?: number; outcome?: Outcome }) => {
      clearTimeout(timer)
      timer = setTimeout(hung, SILENCE_MS)
      at = message.at ?? at
      outcome = message.outcome ?? outcome
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      if (outcome) resolve(outcome)
      else reject(new Error(`The process ended with ${signal ?? code} at ${where()}.`))
    })
  })
}
