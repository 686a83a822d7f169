import { parentPort, workerData } from 'node:worker_threads'
import { systemRuntime } from '@kithwire/protocol'
import { createCalls } from './sqlite-calls.js'
import { Database } from './sqlite-database.js'
import { findDriver } from './sqlite-driver.js'
import { packError } from './sqlite-errors.js'
import type { Answer, Question, WorkerOptions } from './sqlite-thread.js'

/** The entry of the worker thread: answers the calls of sqlite-thread.ts one after the other. */
const { file, busyTimeoutMs } = workerData as WorkerOptions
const database = new Database({ file, busyTimeoutMs, driver: findDriver(), runtime: systemRuntime })
const calls = createCalls(database) as { [name: string]: (...args: unknown[]) => unknown }

parentPort!.on('message', ([name, args]: Question) => {
  let answer: Answer
  try {
    answer = [calls[name]!(...args)]
  } catch (error) {
    answer = [undefined, packError(error)]
  }
  parentPort!.postMessage(answer)
  if (name === 'close') parentPort!.close()
})
