import { sqlite } from '@kithwire/server/sqlite'
import { expect, it } from 'vitest'
import { findDriver } from '../../packages/server/src/stores/sqlite-driver.js'
import { scratchFiles } from './folder.js'

const newFile = scratchFiles()

/** Takes a file back to what version 1 of the schema wrote. */
function toVersion1(file: string): void {
  const driver = findDriver()
  const raw = driver.open(file)
  raw.exec('ALTER TABLE mark DROP COLUMN seen; PRAGMA user_version = 1')
  raw.close()
}

it('version 1 had no place for what was set back as unread: its marks stay as they are', async () => {
  const file = newFile()
  const mark = { conversation: 'c', user: 'ann', delivered: 2, read: 2 }
  const before = sqlite(file)
  const items = ['a', 'b', 'c'].map((cid) => ({ cid, type: 'text', content: cid }))
  await before.append([{ conversation: 'c', from: 'ben', items }])
  await before.mark([mark])
  await before.close()
  toVersion1(file)
  const after = sqlite(file)
  expect(await after.marks(['c'])).toEqual([mark])
  expect(await after.count([{ conversation: 'c', after: 2, to: 3, except: 'ann' }])).toEqual([1])
  expect(await after.mark([{ ...mark, seen: 1 }])).toEqual([{ ...mark, seen: 1 }])
  await after.close()
  const again = sqlite(file)
  expect(await again.marks(['c'])).toEqual([{ ...mark, seen: 1 }])
  await again.close()
})
