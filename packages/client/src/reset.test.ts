import { expect, it } from 'vitest'
import { MemoryClientStore } from './index.js'
import { restored, serve } from './testing/log.js'
import { entries, entry, entryId, head, Script, tail } from './testing/script.js'

/** A client that has seen entries 1 … `to`, offline. */
async function seasoned(to: number) {
  const script = new Script()
  const store = new MemoryClientStore()
  const client = script.client({ store })
  const told: string[] = []
  client.on('reset', (reset) => told.push(`reset to ${reset.to}, ${reset.removed} removed`))
  client.onMessage((message) => void told.push(`${message.seq} ${message.content}`))
  const peer = await script.online([head(0)])
  peer.send({ t: 'messages', conversation: 'c', items: entries(1, to) })
  await script.clock.advance(0)
  told.length = 0
  return { script, store, client, told, peer }
}

it.each([0, 1, 17, 39])('finds the last common entry, %i of 40, by binary search', async (common) => {
  const { script, told, peer } = await seasoned(40)
  peer.socket.close(1006)
  const log = restored(common, 41)
  const second = await script.online([head(41, { tail: log[40]!.id.slice(-8) })], 1)
  const syncs = await serve(second, log)
  expect(syncs).toBeLessThan(12)
  expect(told[0]).toBe(`reset to ${common}, ${40 - common} removed`)
  expect(told.slice(1)).toEqual(log.slice(common).map((item) => `${item.seq} ${item.content}`))
  expect(script.errors).toEqual([])
})

it('notices a log that is shorter than what it has', async () => {
  const { script, told, peer } = await seasoned(9)
  peer.socket.close(1006)
  const second = await script.online([head(6)], 1)
  await serve(second, entries(1, 6))
  expect(told).toEqual(['reset to 6, 3 removed'])
})

it('notices other entries below the head by the server’s own reset', async () => {
  const { script, told, peer } = await seasoned(5)
  peer.socket.close(1006)
  const log = restored(3, 8)
  const second = await script.online([head(8, { tail: log[7]!.id.slice(-8) })], 1)
  second.send({ t: 'page', conversation: 'c', reset: { to: 5, id: log[4]!.id } })
  await serve(second, log)
  expect(told).toEqual(['reset to 3, 2 removed', ...log.slice(3).map((item) => `${item.seq} ${item.content}`)])
})

it('does nothing when another tab was ahead of the heads, and the log is the same', async () => {
  const { script, told, peer } = await seasoned(5)
  peer.socket.close(1006)
  const second = await script.online([head(4)], 1)
  await serve(second, entries(1, 5))
  expect(told).toEqual([])
  second.send({ t: 'messages', conversation: 'c', items: [entry(6)] })
  await script.clock.advance(0)
  expect(told).toEqual(['6 6'])
})

it('sends its own lost entries again, under their cids, before what is newer', async () => {
  const { script, client, peer, told } = await seasoned(2)
  const sent = client.send({ conversation: 'c', content: 'mine' })
  const frame = await peer.next('send')
  peer.ack(frame, 3)
  await script.clock.advance(0)
  await sent
  peer.socket.close(1006)
  void client.send({ conversation: 'c', content: 'newer' })
  const second = await script.online([head(2)], 1)
  await serve(second, entries(1, 2))
  const again = second.of('send')
  expect(again).toHaveLength(1)
  expect(again[0]!.items).toMatchObject([{ cid: frame.items[0]!.cid, content: 'mine' }, { content: 'newer' }])
  second.ack(again[0]!, 3)
  await script.clock.advance(0)
  expect(told).toEqual(['3 mine', 'reset to 2, 1 removed', '3 mine', '4 newer'])
})

it('starts again where nothing can be missed when even its first entry is another one', async () => {
  const script = new Script()
  const client = script.client()
  const told: string[] = []
  client.on('reset', (reset) => told.push(`reset to ${reset.to}`))
  client.onMessage((message) => void told.push(`${message.seq} ${message.content}`))
  const first = await script.online([head(6)])
  first.socket.close(1006)
  const log = restored(3, 6)
  const second = await script.online([head(6, { tail: log[5]!.id.slice(-8) })], 1)
  await serve(second, log)
  expect(told).toEqual(['reset to 0', ...log.map((item) => `${item.seq} ${item.content}`)])
})

it('tells a slow listener nothing of the log before, once the reset was told', async () => {
  const script = new Script()
  const client = script.client()
  const told: string[] = []
  let release = () => {}
  client.on('reset', () => told.push('reset'))
  client.onMessage((message) => {
    told.push(message.content)
    if (message.seq === 1) return new Promise<void>((resolve) => (release = resolve))
  })
  const first = await script.online([head(0)])
  first.send({ t: 'messages', conversation: 'c', items: entries(1, 4) })
  await script.clock.advance(0)
  first.socket.close(1006)
  const log = restored(1, 3)
  const second = await script.online([head(3, { tail: log[2]!.id.slice(-8) })], 1)
  await serve(second, log)
  release()
  await script.clock.advance(0)
  expect(told).toEqual(['1', 'reset', 'other 2', 'other 3'])
})

it('replaces the marks of the others, and lowers what was read', async () => {
  const { script, store, client, peer } = await seasoned(5)
  peer.send({ t: 'cursor', conversation: 'c', user: 'ben', delivered: 5, read: 5 })
  await script.clock.advance(0)
  await client.markRead('c')
  peer.socket.close(1006)
  const second = await script.online([head(2)], 1)
  await serve(second, entries(1, 2))
  expect(await store.conversation('c')).toMatchObject({ applied: 2, tail: tail(2), read: 2, marks: [['ben', 0, 0]] })
  expect(entryId(2)).toContain(tail(2))
})

it.each([
  // It has 1 … 5, of which 1 and 2 are the server's too.
  ['its own entries', 0, 'reset to 2', 'gap 3–5'],
  // It began behind 5, which is another one now.
  ['the place where it began', 5, 'reset to 0', 'gap 1–5'],
])('compares %s by tail where retention has blanked the log', async (_name, began, ...expected) => {
  const script = new Script()
  const client = script.client()
  const told: string[] = []
  client.on('reset', ({ to }) => told.push(`reset to ${to}`))
  client.on('gap', ({ from, to }) => told.push(`gap ${from}–${to}`))
  client.onMessage((message) => void told.push(message.content))
  const first = await script.online([head(began)])
  if (began < 5) first.send({ t: 'messages', conversation: 'c', items: entries(began + 1, 5) })
  await script.clock.advance(0)
  told.length = 0
  first.socket.close(1006)
  const log = restored(2, 7)
  const second = await script.online([head(7, { first: 6, tail: log[6]!.id.slice(-8) })], 1)
  await serve(second, log, 3_000, 6)
  expect(told).toEqual([...expected, 'other 6', 'other 7'])
})
