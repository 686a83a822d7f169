import { type ChildProcess, fork } from 'node:child_process'
import { on, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Cut, cuts, type Outcome, type Range, type Size } from './plan.js'
import type { Order, Report } from './worker.js'

/** Cuts that a process gets at once. */
const BATCH = 240

/** Makes one file of the worker and what it imports from the tests; the packages stay what they are. */
async function bundle(): Promise<string> {
  const outfile = fileURLToPath(new URL('../node_modules/.cache/cut/worker.mjs', import.meta.url))
  await build({
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', sourcemap: 'inline', logLevel: 'warning' },
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    packages: 'external',
    // Without the paths of the sources: what runs here is what is shipped.
    tsconfigRaw: {},
    outfile,
  })
  return outfile
}

/** Makes all cuts of a range, in as many processes as given. */
export async function cutAll(range: Range, processes: number, told: (outcome: Outcome) => void): Promise<Size> {
  const file = await bundle()
  const workers = Array.from({ length: processes }, () =>
    fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
  )
  try {
    const sizes = await Promise.all(workers.map(async (worker) => (await report(worker)) as { size: Size }))
    const size = {
      toServer: Math.max(...sizes.map(({ size }) => size.toServer)),
      toClient: Math.max(...sizes.map(({ size }) => size.toClient)),
    }
    const plan = cuts(size, range)
    let number = 1_000
    const work = async (worker: ChildProcess) => {
      for (let batch = take(plan, BATCH); batch.length > 0; batch = take(plan, BATCH)) {
        worker.send({ first: number, cuts: batch } satisfies Order)
        number += batch.length
        const { outcomes } = (await report(worker)) as { outcomes: Outcome[] }
        for (const outcome of outcomes) told(outcome)
      }
    }
    await Promise.all(workers.map(work))
    return size
  } finally {
    for (const worker of workers) worker.disconnect()
    await Promise.all(workers.map((worker) => worker.exitCode ?? once(worker, 'exit')))
  }
}

function take(plan: Generator<Cut>, most: number): Cut[] {
  const batch: Cut[] = []
  while (batch.length < most) {
    const { value, done } = plan.next()
    if (done) break
    batch.push(value)
  }
  return batch
}

/** The next report of a process. Rejects if it ends. */
async function report(worker: ChildProcess): Promise<Report> {
  const ended = new AbortController()
  const end = () => ended.abort()
  worker.once('exit', end)
  try {
    for await (const [message] of on(worker, 'message', { signal: ended.signal })) return message as Report
    throw new Error('unreachable')
  } catch (cause) {
    throw ended.signal.aborted ? new Error('A process of the test ended before its work was done.', { cause }) : cause
  } finally {
    worker.off('exit', end)
  }
}
