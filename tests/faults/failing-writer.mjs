/**
 * In place of the writer thread: it is the real one, on a driver that kills the process at one statement. What is
 * tested is what is shipped; only the statements that the thread runs are watched.
 */
import { pathToFileURL } from 'node:url'
import { Worker, workerData } from 'node:worker_threads'
import { watchDriver } from './watched-driver.mjs'

const { shipped, point, at } = workerData
const die = () => process.kill(process.pid, 'SIGKILL')

let passed = 0
const reached = (name) => name === point && ++passed >= at

/** Kills from beside, while this thread waits in COMMIT; started early, because a thread takes longer than a commit. */
const flag = new Int32Array(new SharedArrayBuffer(4))
if (point === 'writer-in-commit')
  new Worker(
    `const { flag, ms } = require('node:worker_threads').workerData
     Atomics.wait(flag, 0, 0)
     for (const end = performance.now() + ms; performance.now() < end; );
     process.kill(process.pid, 'SIGKILL')`,
    { eval: true, workerData: { flag, ms: at / 4 } },
  )

const before = {
  COMMIT: () => {
    if (reached('writer-committing')) die()
    if (!reached('writer-in-commit')) return
    Atomics.store(flag, 0, 1)
    Atomics.notify(flag, 0)
  },
}
const after = {
  'BEGIN IMMEDIATE': 'writer-begun',
  COMMIT: 'writer-committed',
  'PRAGMA journal_mode = WAL': 'writer-opened',
}

function watch(sql, statement) {
  const name = sql.includes('INTO entry') ? 'writer-inserted' : after[sql]
  if (!name) return statement
  const call =
    (method) =>
    (...values) => {
      before[sql]?.()
      const result = statement[method](...values)
      if (reached(name)) die()
      return result
    }
  return { run: call('run'), get: call('get'), all: call('all') }
}

watchDriver(shipped, watch)
await import(pathToFileURL(shipped))
