import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { KithwireError, type Runtime } from '@kithwire/protocol'
import { type Connection, type Driver, isAtLeast, OLDEST_SQLITE, type Statement } from './sqlite-driver.js'
import { CommitFailed, isBusy, isNothingToRollBack, openingFailed } from './sqlite-errors.js'
import { migrate } from './sqlite-schema.js'

export interface DatabaseOptions {
  /** An absolute path. */
  file: string
  /** How long a call waits for the lock of another process. */
  busyTimeoutMs: number
  /** The same for all calls but the one that opens the file. @default busyTimeoutMs */
  patienceMs?: number
  driver: Driver
  runtime: Runtime
}

/**
 * What the promises of the log rest on; each is set and then read back, because builds have other defaults and an
 * unknown pragma is no error. `fullfsync` makes macOS really flush the disk, and elsewhere does nothing.
 */
const PRAGMAS: readonly [name: string, value: string | number, reads: string | number][] = [
  ['synchronous', 'FULL', 2],
  ['fullfsync', 1, 1],
  ['checkpoint_fullfsync', 1, 1],
  ['foreign_keys', 1, 1],
  ['mmap_size', 0, 0],
]

/** One connection to the file, opened when it is first needed and again after a failure that it must not outlive. */
export class Database {
  readonly options: DatabaseOptions
  #connection: Connection | undefined
  /** Kept as long as the connection: a driver may finalize what nobody refers to. */
  #statements = new Map<string, Statement>()
  #generation = 0

  constructor(options: DatabaseOptions) {
    this.options = options
  }

  /** Raised each time the connection is opened. What was cached before may not be true any more. */
  get generation(): number {
    return this.#generation
  }

  /** @throws KithwireError if the file cannot be used; the next call tries again. */
  open(): Connection {
    if (this.#connection) return this.#connection
    const { file, driver } = this.options
    let connection: Connection | undefined
    try {
      makeDirectory(dirname(file))
      connection = driver.open(file)
      this.#prepare(connection)
    } catch (error) {
      connection?.close()
      throw openingFailed(file, error)
    }
    this.#generation++
    this.#connection = connection
    return connection
  }

  /** The prepared statement of a fixed text. */
  statement(sql: string): Statement {
    const connection = this.open()
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = connection.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /**
   * Runs `work` in one write transaction, which is durable when this returns and undone when this throws.
   *
   * @throws CommitFailed if only the commit failed: whether anything was stored is unknown then.
   */
  write<T>(work: () => T): T {
    this.statement('BEGIN IMMEDIATE').run()
    let result: T
    try {
      result = work()
    } catch (error) {
      this.#rollback()
      throw error
    }
    try {
      this.statement('COMMIT').run()
    } catch (error) {
      this.#rollback()
      // After a failed sync the kernel may have dropped the pages and forgotten it: a second try would succeed and
      // prove nothing. Only what is read again from the file counts.
      this.close()
      if (isBusy(error)) throw error
      throw new CommitFailed('The commit failed.', { cause: error })
    }
    return result
  }

  /** Runs `work` on one state of the file, whatever others write meanwhile. */
  snapshot<T>(work: () => T): T {
    this.statement('BEGIN').run()
    try {
      return work()
    } finally {
      this.#rollback()
    }
  }

  close(): void {
    const connection = this.#connection
    this.#connection = undefined
    this.#statements = new Map()
    try {
      connection?.close()
    } catch {
      // The handle is given up either way; what was committed is in the file.
    }
  }

  #rollback(): void {
    try {
      this.statement('ROLLBACK').run()
    } catch (error) {
      // After some errors SQLite has rolled back by itself; after any other the connection may be in any state.
      if (!isNothingToRollBack(error)) this.close()
    }
  }

  #prepare(connection: Connection): void {
    const { file, busyTimeoutMs, patienceMs, runtime } = this.options
    const pragma = (text: string) => Object.values(connection.prepare(`PRAGMA ${text}`).get() ?? {})[0]
    connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    const version = String(connection.prepare('SELECT sqlite_version() AS version').get()?.version)
    if (!isAtLeast(version, OLDEST_SQLITE)) throw unfit(file, `SQLite ${OLDEST_SQLITE} or later`, version)
    for (const [name, value, reads] of PRAGMAS) {
      connection.exec(`PRAGMA ${name} = ${value}`)
      // A build without memory mapping answers nothing.
      const came = pragma(name) ?? 0
      if (came !== reads) throw unfit(file, `${name} = ${reads}`, came)
    }
    // Before WAL, so that a file of another program is left as it is.
    migrate(connection, file, runtime)
    const mode = retryBusy(busyTimeoutMs, () => pragma('journal_mode = WAL'))
    if (mode !== 'wal') throw unfit(file, 'journal_mode = wal (not possible on some network file systems)', mode)
    if (patienceMs !== undefined) connection.exec(`PRAGMA busy_timeout = ${Math.min(patienceMs, busyTimeoutMs)}`)
  }
}

const unfit = (file: string, expected: string, came: unknown) =>
  new KithwireError('bad_state', `${file} cannot be used safely: expected ${expected}, came ${String(came)}.`)

/** The change to WAL does not wait for other processes by itself. */
function retryBusy<T>(timeoutMs: number, work: () => T): T {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error
      Atomics.wait(pause, 0, 0, 10)
    }
  }
}

/** SQLite makes the name of its file durable, but not the names of the directories above it. */
function makeDirectory(directory: string): void {
  const made = mkdirSync(directory, { recursive: true })
  if (made === undefined) return
  for (let path = directory; ; path = dirname(path)) {
    syncDirectory(dirname(path))
    if (path === made || path === dirname(path)) return
  }
}

function syncDirectory(path: string): void {
  // Windows has no handle for a directory, and keeps its names by a journal of its own.
  if (process.platform === 'win32') return
  let handle: number | undefined
  try {
    handle = openSync(path, 'r')
    fsyncSync(handle)
  } catch (error) {
    // Not every file system can do it, and a parent may be closed to us; SQLite's own syncs do not depend on it.
    if (!['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}
