import { createRequire } from 'node:module'
import { KithwireError } from '@kithwire/protocol'

export type SqlValue = null | number | bigint | string | Uint8Array
export type SqlRow = { [column: string]: SqlValue }

/** The part of `node:sqlite` that the store uses; the stand-in for older versions of Node has the same form. */
export interface Statement {
  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  get(...values: SqlValue[]): SqlRow | undefined
  all(...values: SqlValue[]): SqlRow[]
}

export interface Connection {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

export interface Driver {
  readonly name: 'node:sqlite' | '@photostructure/sqlite'
  open(file: string): Connection
}

/**
 * The oldest SQLite that may be used: before it, two connections that reset the WAL at once could corrupt the file
 * (fixed in 3.51.3, March 2026).
 */
export const OLDEST_SQLITE = '3.51.3'

/** What the search for a driver asks of its surroundings; a test gives its own. */
export interface DriverHost {
  /** Version of the SQLite inside Node. */
  builtin: string | undefined
  node: string
  require(name: string): unknown
}

const host: DriverHost = {
  builtin: process.versions.sqlite,
  node: process.versions.node,
  // The build gives it to both module systems; its stand-in for import.meta.url breaks in a folder such as `C#`.
  require: createRequire(__filename),
}

export function isAtLeast(version: string, least: string): boolean {
  const [have, want] = [version, least].map((text) => text.split('.').map(Number))
  for (let index = 0; index < want!.length; index++) {
    const difference = (have![index] ?? 0) - want![index]!
    if (difference !== 0) return difference > 0
  }
  return true
}

/**
 * `node:sqlite` where it is new enough, else `@photostructure/sqlite`.
 *
 * @throws KithwireError `missing_dependency`, saying what to install, if there is neither.
 */
export function findDriver({ builtin, node, require }: DriverHost = host): Driver {
  const causes: unknown[] = []
  const names = ['@photostructure/sqlite'] as Driver['name'][]
  if (builtin !== undefined && isAtLeast(builtin, OLDEST_SQLITE)) names.unshift('node:sqlite')
  for (const name of names) {
    try {
      const { DatabaseSync } = require(name) as { DatabaseSync: new (file: string) => Connection }
      return { name, open: (file) => new DatabaseSync(file) }
    } catch (error) {
      causes.push(error)
    }
  }
  // Not for a package that is there and lacks a part of itself.
  const notFound = String((causes.at(-1) as Error).message).includes("module '@photostructure/sqlite'")
  throw new KithwireError(
    'missing_dependency',
    `The SQLite store needs SQLite ${OLDEST_SQLITE} or later. Node ${node} has ` +
      `${builtin === undefined ? 'none' : builtin}, and the package @photostructure/sqlite ` +
      `${notFound ? 'is not installed' : 'could not be loaded'}. Run \`npm install @photostructure/sqlite\`` +
      ' beside @kithwire/server, or use a version of Node whose `process.versions.sqlite` is new enough.',
    { cause: causes.at(-1) },
  )
}
