import { sqlite } from '@kithwire/server/sqlite'
import { expect, it } from 'vitest'
import { findDriver } from '../../packages/server/src/stores/sqlite-driver.js'
import { scratchFiles } from './folder.js'

const newFile = scratchFiles()

function change(file: string, sql: string): void {
  const raw = findDriver().open(file)
  raw.exec(sql)
  raw.close()
}

/** Takes a file back to what version 2 of the schema wrote. */
const toVersion2 = (file: string) =>
  change(
    file,
    `DROP TABLE place; DELETE FROM store WHERE key = 'placed'; UPDATE store SET value = 1 WHERE key = 'min_reader';
     CREATE UNIQUE INDEX entry_seq ON entry (conversation, seq); PRAGMA user_version = 2`,
  )

/** Takes a file back to what version 1 of the schema wrote. */
function toVersion1(file: string): void {
  toVersion2(file)
  change(file, 'ALTER TABLE mark DROP COLUMN seen; PRAGMA user_version = 1')
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

it('version 2 had an index in place of `place`: conversations are read and go on as they were', async () => {
  const file = newFile()
  const send = (conversation: string, cid: string) => ({
    ...{ conversation, from: 'ann' },
    items: [{ cid, type: 'text', content: `${conversation} ${cid}` }],
  })
  const before = sqlite(file)
  await before.append([send('c', '1'), send('d', '1'), send('c', '2')])
  await before.append([send('c', '3'), send('d', '2')])
  const c = await before.read('c', { after: 0, limit: 10 })
  await before.close()
  toVersion2(file)
  const after = sqlite(file)
  expect(await after.read('c', { after: 0, limit: 10 })).toEqual(c)
  expect(await after.append([send('c', '4'), send('d', '3')])).toMatchObject([
    { stored: [{ seq: 4 }] },
    { stored: [{ seq: 3 }] },
  ])
  expect((await after.read('c', { before: 9, limit: 3 })).map(({ content }) => content)).toEqual(['c 2', 'c 3', 'c 4'])
  await after.close()
})
