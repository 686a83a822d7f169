import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { ClientStore, OutboxItem } from '../client-store.js'
import { clientStoreConformance } from '../testing/client-store-conformance.js'
import { entries, head } from '../testing/script.js'
import { fileStore } from './file.js'

const root = mkdtempSync(join(tmpdir(), 'kithwire-file-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let made = 0
const fresh = () => join(root, `${++made}`)
const fileIn = (folder: string) => join(folder, readdirSync(folder).find((name) => name.endsWith('.chat'))!)
const row = (cid: string): OutboxItem => ({ conversation: 'c', cid, type: 'text', content: cid, queuedAt: 1 })
const LIMITS = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY, oldest: 0 }
const cids = async (store: ClientStore) => (await store.queued('c', 1e6)).map(({ cid }) => cid)

/** Ann's store in a folder, in which `c` stands at head 0. */
async function begin(folder: string): Promise<ClientStore> {
  const store = fileStore(folder)()
  await store.attempt('device')
  await store.claim('ann')
  await store.meet([head(0)], { epoch: 'epoch', after: new Map([['c', 0]]) })
  return store
}

clientStoreConformance('file', () => fileStore(fresh())(), it)

it('has everything again when it is opened the next time', async () => {
  const folder = fresh()
  const first = await begin(folder)
  await first.apply('c', entries(1, 3))
  for (const cid of ['a', 'b']) await first.enqueue(row(cid), LIMITS)
  await first.fail('c', 'a', 'blocked')
  const all = async (store: ClientStore) => [
    await store.conversations(),
    await store.messages('c', 0, 9),
    await store.outgoing(),
  ]
  const before = await all(first)
  await first.close()
  const second = fileStore(folder)()
  expect(await all(second)).toEqual(before)
  expect(await second.attempt('another')).toMatchObject({ device: 'device', attempt: 2, user: 'ann', seeded: true })
  await second.close()
})

it('cuts off whatever a crash left of the last record, at every byte, and goes on behind it', async () => {
  const folder = fresh()
  const store = await begin(folder)
  await store.enqueue(row('whole'), LIMITS)
  const path = fileIn(folder)
  const from = statSync(path).size
  await store.enqueue(row('torn'), LIMITS)
  await store.close()
  const bytes = readFileSync(path)
  for (let at = from; at < bytes.length; at++) {
    writeFileSync(path, bytes)
    truncateSync(path, at)
    // Also as file systems leave it that make a file longer before they fill it.
    if (at % 2 === 1) appendFileSync(path, Buffer.alloc(bytes.length - at))
    const again = fileStore(folder)()
    expect(await cids(again)).toEqual(['whole'])
    await again.enqueue(row('next'), LIMITS)
    await again.close()
    const last = fileStore(folder)()
    expect(await cids(last)).toEqual(['whole', 'next'])
    await last.close()
  }
}, 60_000)

it('says so when something in the middle is not what was written', async () => {
  const folder = fresh()
  const store = await begin(folder)
  for (const cid of ['a', 'b']) await store.enqueue(row(cid), LIMITS)
  await store.close()
  const path = fileIn(folder)
  const bytes = readFileSync(path)
  bytes[40]! ^= 1
  writeFileSync(path, bytes)
  await expect(fileStore(folder)().waiting()).rejects.toMatchObject({ code: 'store_failed' })
  writeFileSync(path, 'kithwire client store 2\n')
  await expect(fileStore(folder)().waiting()).rejects.toMatchObject({ code: 'unsupported_version' })
})

it('is one store to all clients of a process, and closed to others until the last has ended', async () => {
  const folder = fresh()
  const open = fileStore(folder)
  const [one, other] = [open('ann', 'wss://a/x'), open('ann', 'wss://a/y')]
  await one.enqueue(row('a'), LIMITS)
  expect(await cids(other)).toEqual(['a'])
  const stranger = fileStore(folder)('ann', 'wss://a/')
  await expect(stranger.waiting()).rejects.toMatchObject({ code: 'bad_state' })
  expect(await cids(open('ann', 'wss://b/'))).toEqual([])
  expect(await cids(open('ben', 'wss://a/'))).toEqual([])
  await one.close()
  await expect(stranger.waiting()).rejects.toMatchObject({ code: 'bad_state' })
  await other.close()
  expect(await cids(stranger)).toEqual(['a'])
  await stranger.close()
})

it('takes over from a process that is gone', async () => {
  const folder = fresh()
  await (await begin(folder)).close()
  for (const owner of ['999999999 1', 'nonsense', '', `${process.pid} 1`]) {
    writeFileSync(`${fileIn(folder)}.lock`, owner)
    const store = fileStore(folder)()
    expect(await store.conversations()).toHaveLength(1)
    await store.close()
  }
  expect(readdirSync(folder)).toHaveLength(1)
})

it('does not grow without end, and keeps what it holds when it makes itself shorter', async () => {
  const folder = fresh()
  const store = await begin(folder)
  const content = 'x'.repeat(10_000)
  for (let seq = 1; seq <= 400; seq++) {
    await store.enqueue({ ...row(`${seq}`), content }, LIMITS)
    const [own] = entries(seq, seq)
    await store.apply('c', [{ ...own!, from: 'ann', cid: `${seq}`, content: 'short' }])
  }
  await store.enqueue(row('last'), LIMITS)
  expect(statSync(fileIn(folder)).size).toBeLessThan(2 << 20)
  await store.close()
  const again = fileStore(folder)()
  expect(await again.messages('c', 0, 1e6)).toHaveLength(400)
  expect(await cids(again)).toEqual(['last'])
  await again.close()
}, 60_000)

it('writes what waits together, and each call sees those before it', async () => {
  const store = await begin(fresh())
  const calls = Array.from({ length: 100 }, (_, index) => store.enqueue(row(`${index}`), LIMITS))
  expect(await cids(store)).toHaveLength(100)
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['queued']))
  await store.close()
})

it('keeps the messages that it is told to keep', async () => {
  const store = fileStore(fresh(), { keepMessages: 200 })()
  await store.attempt('device')
  await store.claim('ann')
  await store.meet([head(0)], { epoch: 'epoch', after: new Map([['c', 0]]) })
  for (let from = 1; from < 1_000; from += 50) await store.apply('c', entries(from, from + 49))
  const kept = await store.messages('c', 0, 1e6)
  expect(kept.length).toBeLessThan(400)
  expect((await store.conversation('c'))?.base).toBe(kept[0]!.seq - 1)
  await store.close()
})

it('checks its options', () => {
  expect(() => fileStore('')).toThrow(expect.objectContaining({ code: 'bad_option' }))
  expect(() => fileStore('x', { keepMessages: 1 })).toThrow(expect.objectContaining({ code: 'bad_option' }))
})
