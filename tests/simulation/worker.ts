import { setFlagsFromString } from 'node:v8'
import { isMainThread, parentPort } from 'node:worker_threads'
import { type Result, runOne } from './run.js'

/** What a worker says: before each seed, lest it never ends, and after each batch. */
export type Report = { started: number } | { results: readonly Result[] }

/** In a worker thread: runs the seeds that the crew sends. Does nothing elsewhere. */
export function serve(): void {
  if (isMainThread || parentPort === null) return
  const port = parentPort
  // Traces of errors cost more than the errors; whoever wants to see them replays the seed.
  Error.stackTraceLimit = 0
  // By default half of the time of the first 1,000 seeds goes into compiling; what runs is no slower with less of it.
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=200')
  const say = (report: Report) => port.postMessage(report)
  port.on('message', async ({ first, end }: { first: number; end: number }) => {
    const results: Result[] = []
    for (let seed = first; seed < end; seed++) {
      say({ started: seed })
      results.push(await runOne(seed, { explain: false }))
    }
    say({ results })
  })
}
