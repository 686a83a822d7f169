import { createRequire } from 'node:module'
import * as esm from '@kithwire/server/sqlite'
import { storeConformance } from '@kithwire/server/testing'
import { describe, it } from 'vitest'
import { scratchFiles } from './folder.js'

const cjs: typeof esm = createRequire(import.meta.url)('@kithwire/server/sqlite')
const newFile = scratchFiles()

function conformance(name: string, open: (file: string) => esm.SqliteStore): void {
  const files = new WeakMap<object, string>()
  const opened = async (file: string) => {
    const store = open(file)
    files.set(store, file)
    return store
  }
  storeConformance({
    describe,
    it,
    name,
    open: () => opened(newFile()),
    reopen: (store) => opened(files.get(store)!),
    second: (store) => opened(files.get(store)!),
  })
}

conformance('sqlite, its own thread, ESM', (file) => esm.sqlite(file, { thread: true, busyTimeoutMs: 60_000 }))
conformance('sqlite, its own thread, CJS', (file) => cjs.sqlite(file, { thread: true, busyTimeoutMs: 60_000 }))
conformance('sqlite, as it comes, ESM', (file) => esm.sqlite(file))
conformance('sqlite, thread: false, ESM', (file) => esm.sqlite(file, { thread: false }))
conformance('sqlite, thread: false, CJS', (file) => cjs.sqlite(file, { thread: false }))
