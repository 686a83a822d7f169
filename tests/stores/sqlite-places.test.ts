import { sqlite } from '@kithwire/server/sqlite'
import { afterEach, expect, it } from 'vitest'
import type { Entry, Send, Store } from '../../packages/server/src/store.js'
import { findDriver } from '../../packages/server/src/stores/sqlite-driver.js'
import { scratchFiles } from './folder.js'

const newFile = scratchFiles()
const open: Store[] = []

function storeOf(file: string): ReturnType<typeof sqlite> {
  const store = sqlite(file)
  open.push(store)
  return store
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()))
})

const CONVERSATIONS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const USERS = ['ann', 'ben', 'cyd']

/** Sends number `first` and on, over all conversations and users. The content says where it must be found. */
const sends = (first: number, count: number): Send[] =>
  Array.from({ length: count }, (_, index) => {
    const number = first + index
    const conversation = CONVERSATIONS[number % CONVERSATIONS.length]!
    const content = `${conversation} ${Math.floor(number / CONVERSATIONS.length) + 1}`
    return {
      conversation,
      from: USERS[number % USERS.length]!,
      items: [{ cid: `cid-${number}`, type: 'text', content }],
    }
  })

async function append(store: Store, first: number, count: number, batch = 100): Promise<void> {
  for (let done = 0; done < count; done += batch)
    for (const outcome of await store.append(sends(first + done, Math.min(batch, count - done))))
      if (outcome.stored[0]?.duplicate !== false) throw new Error(`Not stored: ${JSON.stringify(outcome)}`)
}

/** Reads a conversation forwards by pages of `limit`, and its newest ones backwards, and compares with what it was given. */
async function expectWhole(store: Store, total: number, limit: number): Promise<void> {
  for (const [index, conversation] of CONVERSATIONS.entries()) {
    const head = Math.ceil((total - index) / CONVERSATIONS.length)
    const wanted = Array.from({ length: head }, (_, at) => `${conversation} ${at + 1}`)
    const forwards: string[] = []
    for (let page: Entry[] | undefined; page === undefined || page.length > 0; ) {
      page = await store.read(conversation, { after: forwards.length, limit })
      forwards.push(...page.map(({ content }) => content))
    }
    expect(forwards).toEqual(wanted)
    const backwards: string[] = []
    for (let page: Entry[] | undefined; page === undefined || page.length > 0; ) {
      page = await store.read(conversation, { before: head + 1 - backwards.length, limit })
      backwards.unshift(...page.map(({ content }) => content))
    }
    expect(backwards).toEqual(wanted)
    const [found] = await store.heads([conversation])
    expect(found!.head).toBe(head)
    expect(found!.tail).toBe(await store.tail(conversation, head))
    const [last] = await store.read(conversation, { before: head + 1, limit: 1 })
    expect(found!.tail).toBe(last!.id.slice(-8))
    const others = wanted
      .slice(10)
      .filter((_, at) => USERS[((at + 10) * CONVERSATIONS.length + index) % USERS.length] !== 'ann')
    expect(await store.count([{ conversation, after: 10, to: head, except: 'ann' }])).toEqual([others.length])
  }
}

const placed = (file: string): number => {
  const raw = findDriver().open(file)
  const { n, placed } = raw
    .prepare("SELECT (SELECT count(*) FROM place) AS n, (SELECT value FROM store WHERE key = 'placed') AS placed")
    .get()!
  raw.close()
  expect(n).toBe(placed)
  return Number(n)
}

it('finds what is placed, what is recent, and pages of both, before and after it was opened again', async () => {
  const file = newFile()
  const store = storeOf(file)
  await append(store, 0, 10_000)
  await expectWhole(store, 10_000, 97)
  expect(placed(file)).toBe(8_200)
  await store.close()
  const again = storeOf(file)
  await expectWhole(again, 10_000, 200)
  await append(again, 10_000, 500)
  await expectWhole(again, 10_500, 200)
})

it('blanks what is placed and what is recent alike', async () => {
  const store = storeOf(newFile())
  await append(store, 0, 6_000)
  await store.retain('a', 800)
  const first = await store.read('a', { after: 0, limit: 2 })
  expect(first.map(({ seq, content }) => [seq, content])).toEqual([
    [800, 'a 800'],
    [801, 'a 801'],
  ])
  expect(await store.heads(['a'])).toMatchObject([{ head: 858, first: 800 }])
  const again = await store.append(sends(0, 1))
  expect(again).toMatchObject([{ stored: [{ seq: 1, duplicate: true }] }])
})

it('takes over what others have placed meanwhile, with several on one file', async () => {
  const file = newFile()
  const stores = [storeOf(file), storeOf(file), storeOf(file)]
  for (let first = 0; first < 15_000; first += 250) await append(stores[(first / 250) % 3]!, first, 250, 50)
  for (const store of stores) await expectWhole(store, 15_000, 500)
  expect(placed(file)).toBeGreaterThan(10_000)
})

it('does not place again what another has placed up to its own latest entry', async () => {
  const file = newFile()
  const [one, two] = [storeOf(file), storeOf(file)]
  await append(one, 0, 4_100)
  await append(two, 4_100, 100)
  expect(placed(file)).toBe(4_100)
  await append(one, 4_200, 100)
  for (const store of [one, two]) await expectWhole(store, 4_300, 300)
})

it('looks again where an operator has taken the latest entries away', async () => {
  const file = newFile()
  const store = storeOf(file)
  await append(store, 0, 100)
  const raw = findDriver().open(file)
  raw.exec('DELETE FROM entry WHERE pos > 70')
  await expectWhole(store, 70, 50)
  await append(store, 70, 30)
  await expectWhole(store, 100, 50)
  raw.close()
})
