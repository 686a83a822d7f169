import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { KithwireError, type Runtime } from '@kithwire/protocol'
import type { Outcome, Send } from '../store.js'
import type { CallName, Calls, Port } from './sqlite-calls.js'
import { type SentError, toKithwireError, unpackError } from './sqlite-errors.js'
import { flattenSends, unflattenOutcomes } from './sqlite-flat.js'

export interface WorkerOptions {
  file: string
  busyTimeoutMs: number
}

/** Answered one after the other. */
export type Question = [name: CallName, args: unknown[]]
export type Answer = [result: unknown, error?: SentError]

interface Pending {
  resolve(result: unknown): void
  reject(error: KithwireError): void
}

/** Wait before a thread that has died is started again: doubled with each death up to 5 s, until a call succeeds. */
const BACKOFF_MS = 100
const MOST_BACKOFF_MS = 5_000

/**
 * The worker as it is built: beside this module and of the same module system.
 *
 * @throws KithwireError `bad_option` where a bundler has left it out.
 */
export function workerFile(here = __filename): string {
  const file = join(dirname(here), here.endsWith('.cjs') ? 'sqlite-worker.cjs' : 'sqlite-worker.js')
  if (existsSync(file)) return file
  throw new KithwireError(
    'bad_option',
    `\`thread: true\` needs the file ${file}, which is not there. If @kithwire/server was bundled, keep it external; ` +
      'otherwise use `thread: false`.',
  )
}

/** The database on a worker thread of its own, so that a commit of 10 to 50 ms does not hold up the sockets. */
export class SqliteThread implements Port {
  /** In the order of their answers. */
  #pending: Pending[] = []
  readonly #file: string
  #worker: Worker | undefined
  #deaths = 0
  #notBefore = Number.NEGATIVE_INFINITY

  constructor(
    private readonly options: WorkerOptions,
    private readonly runtime: Runtime,
    file = workerFile(),
  ) {
    this.#file = file
  }

  call<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>> {
    return new Promise((resolve, reject) => {
      try {
        const worker = this.#running()
        worker.postMessage([name, args] satisfies Question)
        // What is under way keeps the process alive; an idle thread does not.
        if (this.#pending.length === 0) worker.ref()
        this.#pending.push({ resolve: resolve as Pending['resolve'], reject })
      } catch (error) {
        reject(toKithwireError(error))
      }
    })
  }

  async append(sends: readonly Send[], at: number): Promise<Outcome[]> {
    return unflattenOutcomes(await this.call('appendFlat', flattenSends(sends), at), at)
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (!worker) return
    // A thread that dies on the way is closed as well.
    await this.call('close').catch(() => {})
    await worker.terminate()
  }

  /** @throws KithwireError `store_unavailable` while a dead thread waits for its next start. */
  #running(): Worker {
    if (this.#worker) return this.#worker
    const wait = this.#notBefore - this.runtime.monotonic()
    if (wait > 0)
      throw new KithwireError(
        'store_unavailable',
        `The thread of the SQLite store has ended and is started again in ${Math.ceil(wait)} ms at the earliest.`,
      )
    const worker = new Worker(this.#file, {
      workerData: this.options,
      name: 'kithwire-sqlite',
      // Loaders and inspectors of the app are not for this thread.
      execArgv: [],
    })
    worker.on('message', (answer: Answer) => this.#settle(worker, answer))
    let cause: unknown
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('messageerror', (error) => {
      cause = error
      void worker.terminate()
    })
    worker.on('exit', (code) => this.#died(worker, cause ?? new Error(`The thread exited with code ${code}.`)))
    worker.unref()
    this.#worker = worker
    return worker
  }

  #settle(worker: Worker, [result, error]: Answer): void {
    const pending = this.#pending.shift()
    if (this.#pending.length === 0) worker.unref()
    if (error) {
      pending?.reject(unpackError(error))
      return
    }
    this.#deaths = 0
    pending?.resolve(result)
  }

  #died(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#notBefore = this.runtime.monotonic() + Math.min(MOST_BACKOFF_MS, BACKOFF_MS * 2 ** this.#deaths++)
    const error = new KithwireError(
      'store_unavailable',
      'The thread of the SQLite store has ended; what became of the calls under way is not known. See `cause`.',
      { cause },
    )
    const pending = this.#pending
    this.#pending = []
    for (const { reject } of pending) reject(error)
  }
}
