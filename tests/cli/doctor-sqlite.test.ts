import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from '@kithwire/server/sqlite'
import { DatabaseSync } from '@photostructure/sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findings, kithwire, lines } from './kithwire.js'

const folder = mkdtempSync(join(tmpdir(), 'kithwire-doctor-'))
const at = (name: string) => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  const store = sqlite(at('chat.db'))
  const items = Array.from({ length: 500 }, (_, index) => ({
    cid: `c${index}`,
    type: 'text',
    content: String(index).repeat(40),
  }))
  await store.append([{ conversation: 'c1', from: 'ann', items }])
  await store.close()
})

const found = async (name: string) => lines(await findings('--sqlite', at(name)))

it('finds a file that is as it should be', async () => {
  expect(await found('chat.db')).toEqual([
    'sqlite good: the file is not on a network',
    expect.stringMatching(/^sqlite good: a file of Kithwire, version \d+$/),
    'sqlite good: the file is sound',
  ])
})

it('tells a file that is not there, and makes none', async () => {
  expect(await found('other.db')).toEqual([`sqlite problem: there is no file ${at('other.db')}`])
  expect(await found('other.db')).toHaveLength(1)
})

it('tells a database of another program, a newer one, and a file that is no database', async () => {
  const other = new DatabaseSync(at('other-program.db'))
  other.exec('CREATE TABLE x (y)')
  other.close()
  expect(await found('other-program.db')).toContain(
    `sqlite problem: ${at('other-program.db')} is a database of another program`,
  )
  copyFileSync(at('chat.db'), at('newer.db'))
  const newer = new DatabaseSync(at('newer.db'))
  newer.exec('PRAGMA user_version = 99')
  newer.close()
  expect(await found('newer.db')).toContain('sqlite problem: the file is of version 99, newer than this package')
  const text = openSync(at('text.db'), 'w')
  writeSync(text, 'no database '.repeat(200))
  closeSync(text)
  expect((await found('text.db'))[0]).toMatch(/^sqlite problem: .* cannot be opened: .*not a database/)
})

it('tells a damaged file', async () => {
  copyFileSync(at('chat.db'), at('damaged.db'))
  const file = openSync(at('damaged.db'), 'r+')
  // The pages in the middle; the header stays.
  for (let place = 16_384; place < statSync(at('damaged.db')).size - 8_192; place += 4_096)
    writeSync(file, Buffer.alloc(64, 0xa5), 0, 64, place)
  closeSync(file)
  expect((await found('damaged.db')).at(-1)).toMatch(/^sqlite problem: (the file is damaged|.* cannot be opened)/)
})

it.each([
  [['doctor']],
  [['doctor', '--url', 'example.com']],
  [['doctor', '--url', 'http://']],
  [['doctor', '--url', 'http://x/y', '--origin', 'x']],
  [['doctor', '--url', 'http://x/y', '--header', 'x']],
  [['doctor', '--sqlit', 'x']],
  [['doctor', 'x', '--sqlite', 'y']],
  [['migrate']],
  [['migrate', '--mongo', 'http://x']],
  [['migrate', '--mongo', 'mongodb://x/y', '--fields', 'friend=x']],
  [['migrate', '--mongo', 'mongodb://x/y', '--fields', 'cid=seq']],
  [['migrate', '--mongo', 'mongodb://x/y', '--batch', '0']],
  [['migrate', '--mongo', 'mongodb://x/y', '--verify', '--dry-run']],
  [['dance']],
])('a wrong command ends with 2 and says what was expected: %s', async (args) => {
  const { code, stdout, stderr } = await kithwire(args)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/\S.*\nSee `kithwire --help`\.\n$/)
  expect(stderr).not.toMatch(/ {4}at /)
})

it.each([['--help'], ['migrate --help'], ['doctor --help'], ['--version']])('kithwire %s', async (args) => {
  const { code, stdout } = await kithwire(args.split(' '))
  expect(code).toBe(0)
  expect(stdout).toMatch(args === '--version' ? /^\d+\.\d+\.\d+\n$/ : /USAGE kithwire/)
})
