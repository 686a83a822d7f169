/** The writer thread on a driver that lies, for the test of the test that finds such lies. */
import { pathToFileURL } from 'node:url'
import { workerData } from 'node:worker_threads'
import { watchDriver } from './watched-driver.mjs'

const { shipped, lie } = workerData

/** Answers first, and commits what has come together when there is time, or when somebody wants to read. */
function early(sql, statement, connection) {
  const call = (method) => () => {
    if (sql === 'BEGIN IMMEDIATE' && due) return
    if (sql === 'COMMIT') {
      due ??= setTimeout(() => settle(connection), 50)
      return
    }
    settle(connection)
    return statement[method]()
  }
  if (!['BEGIN', 'BEGIN IMMEDIATE', 'COMMIT'].includes(sql)) return statement
  return { run: call('run'), get: call('get'), all: call('all') }
}

let due
function settle(connection) {
  clearTimeout(due)
  if (due) connection.exec('COMMIT')
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
