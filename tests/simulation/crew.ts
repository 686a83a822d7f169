import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { addTo, type Histogram } from './histogram.js'
import type { Options } from './options.js'
import type { Result } from './run.js'
import type { Report } from './worker.js'

export interface Total {
  seeds: number
  histogram: Histogram
  violations: { seed: number; what: string }[]
  /** Lines of all traces together. */
  events: number
  seconds: number
  workers: number
}

/** Seeds that a worker gets at once: few enough that all end together. */
const BATCH = 10
/** Room for what dies young: nearly all of a seed does. */
const YOUNG_MB = 64
/** Ms of real time after which a seed that takes some 10 is taken for one that never ends. */
const HANG_MS = 30_000

/** Runs `seeds` seeds from `first` on, on worker threads of `file`. The result does not depend on how many. */
export async function crew(
  file: string,
  options: Pick<Options, 'seeds' | 'first' | 'stop' | 'workers'>,
): Promise<Total> {
  const started = performance.now()
  const workers = Math.min(options.workers ?? availableParallelism(), Math.ceil(options.seeds / BATCH))
  const total: Total = { seeds: 0, histogram: {}, violations: [], events: 0, seconds: 0, workers }
  let next = options.first
  const end = options.first + options.seeds
  let stopped = false

  const take = (results: readonly Result[]) => {
    for (const result of results) {
      total.seeds++
      total.events += result.events
      addTo(total.histogram, result.faults)
      for (const what of result.violations) total.violations.push({ seed: result.seed, what })
    }
    if (options.stop && total.violations.length > 0) stopped = true
  }

  const employ = (): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(file, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } })
      let watch: NodeJS.Timeout | undefined
      const give = () => {
        clearTimeout(watch)
        if (stopped || next >= end) {
          void worker.terminate().then(() => resolve())
          return
        }
        const first = next
        next = Math.min(next + BATCH, end)
        worker.postMessage({ first, end: next })
      }
      worker.on('message', (message: Report) => {
        if ('results' in message) {
          take(message.results)
          give()
          return
        }
        clearTimeout(watch)
        watch = setTimeout(() => {
          total.violations.push({
            seed: message.started,
            what: `never ends: ${HANG_MS / 1_000} s of real time are over`,
          })
          total.seeds++
          // Its worker is lost, and a new one takes its place.
          stopped ||= options.stop
          void worker.terminate().then(() => resolve(employ()))
        }, HANG_MS)
      })
      worker.on('error', reject)
      give()
    })

  await Promise.all(Array.from({ length: workers }, employ))
  total.violations.sort((a, b) => a.seed - b.seed)
  total.seconds = (performance.now() - started) / 1_000
  return total
}
