/** The writer thread on a driver that lies, for the test of the test that finds such lies. */
import { pathToFileURL } from 'node:url'
import { workerData } from 'node:worker_threads'
import { watchDriver } from './watched-driver.mjs'

const { shipped, lie } = workerData

/** Answers first, and commits when there is time. */
function early(sql, statement) {
  if (sql !== 'COMMIT' && sql !== 'BEGIN IMMEDIATE') return statement
  const call = (method) => () => {
    if (sql === 'COMMIT') {
      due = () => statement[method]()
      setTimeout(settle, 50)
      return
    }
    settle()
    return statement[method]()
  }
  return { run: call('run'), get: call('get'), all: call('all') }
}

let due
function settle() {
  due?.()
  due = undefined
}

/** Commits without a sync, as SQLite does in WAL mode by the default of many builds. */
function unsynced(sql, statement, connection) {
  if (sql !== 'BEGIN IMMEDIATE') return statement
  const run = () => {
    connection.exec('PRAGMA synchronous = NORMAL')
    return statement.run()
  }
  return { run, get: run, all: run }
}

watchDriver(shipped, lie === 'early' ? early : unsynced)
await import(pathToFileURL(shipped))
