import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Names of files that do not exist yet, all in one folder that is removed after the tests of this file. */
export function scratchFiles(): () => string {
  const folder = mkdtempSync(join(tmpdir(), 'kithwire-stores-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let count = 0
  return () => join(folder, `${++count}`, 'chat.db')
}
