import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { clientStoreConformance } from '../testing/client-store-conformance.js'
import { FakeLocks } from '../testing/fake-locks.js'
import { indexedDb } from './indexed-db.js'

let made = 0
const fresh = () => `test ${++made}`

beforeEach(() => void vi.stubGlobal('navigator', { locks: new FakeLocks() }))
afterEach(() => void vi.unstubAllGlobals())

clientStoreConformance('IndexedDB', () => indexedDb({ name: fresh() })(), it)

it('checks its options', () => {
  for (const options of [{ name: '' }, { keepMessages: 10 }, { openTimeoutMs: 0 }])
    expect(() => indexedDb(options)).toThrow(expect.objectContaining({ code: 'bad_option' }))
})
