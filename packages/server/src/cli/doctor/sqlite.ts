import { existsSync, statfsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Connection, findDriver } from '../../stores/sqlite-driver.js'
import { APPLICATION_ID, SCHEMA_VERSION } from '../../stores/sqlite-schema.js'
import { type Finding, good, problem, unknown } from './finding.js'

/** Types of file systems on which locks of SQLite cannot be relied on, from statfs(2). */
const NETWORK = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
])

/** Looks at the file of the SQLite store. Changes nothing. */
export function sqliteFindings(file: string): Finding[] {
  const path = resolve(file)
  if (!existsSync(path))
    return [problem('sqlite', `there is no file ${path}`, 'correct --sqlite; the app makes it at its first start')]
  let connection: Connection | undefined
  try {
    const driver = findDriver()
    connection = driver.open(path)
    return [fileSystemFinding(path), ...databaseFindings(connection, path)]
  } catch (error) {
    return [
      problem(
        'sqlite',
        `${path} cannot be opened: ${(error as Error).message}`,
        'see the message; restore the last backup if the file is damaged',
      ),
    ]
  } finally {
    connection?.close()
  }
}

function databaseFindings(connection: Connection, path: string): Finding[] {
  const pragma = (name: string): unknown => Object.values(connection.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  if (Number(pragma('application_id')) !== APPLICATION_ID)
    return [problem('sqlite', `${path} is a database of another program`, 'give Kithwire a file of its own')]
  const version = Number(pragma('user_version'))
  const findings = [
    version > SCHEMA_VERSION
      ? problem('sqlite', `the file is of version ${version}, newer than this package`, 'update @kithwire/server')
      : good('sqlite', `a file of Kithwire, version ${version}`),
  ]
  const sound = pragma('quick_check')
  findings.push(
    sound === 'ok'
      ? good('sqlite', 'the file is sound')
      : problem('sqlite', `the file is damaged: ${sound}`, 'stop the app and restore the last backup'),
  )
  return findings
}

function fileSystemFinding(path: string): Finding {
  try {
    const name = NETWORK.get(Number(statfsSync(path).type))
    if (name !== undefined)
      return problem(
        'sqlite',
        `the file is on a network (${name}), whose locks SQLite cannot rely on`,
        'move it to a local disk',
      )
    return good('sqlite', 'the file is not on a network')
  } catch (error) {
    return unknown('sqlite', `where the file is could not be told: ${(error as Error).message}`)
  }
}
