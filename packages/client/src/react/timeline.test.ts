import { expect, it } from 'vitest'
import { MemoryClientStore, type WsRequest } from '../index.js'
import { restored, serve } from '../testing/log.js'
import { entries, entry, head, type Peer, Script } from '../testing/script.js'
import { chatModel } from './chat-model.js'
import { type TimelineView, timelineOf } from './timeline.js'

/** A timeline that is watched, and every snapshot it showed. */
function watch(script: Script, client: WsRequest) {
  const timeline = timelineOf(
    chatModel(() => client, false, undefined, script.clock),
    'c',
  )
  const views: TimelineView[] = []
  const stop = timeline.subscribe(() => views.push(timeline.get()))
  const seqs = () => timeline.get().messages.map((message) => message.seq ?? message.content)
  const states = () => timeline.get().messages.map(({ content, state }) => `${content} ${state}`)
  return { timeline, views, stop, seqs, states }
}

/** Answers a question for history from a log of `head` entries. */
async function page(script: Script, peer: Peer, top: number) {
  const { n, before = 0, limit } = await peer.next('sync')
  const items = entries(Math.max(1, before - limit, 1), Math.min(before - 1, top)).slice(-limit)
  peer.send({ t: 'page', re: n, conversation: 'c', items, head: top, first: 1, more: items[0]!.seq > 1 })
  await script.clock.advance(0)
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

it('begins with the newest page, takes what arrives, and goes back page by page', async () => {
  const script = new Script()
  const client = script.client()
  const { timeline, seqs } = watch(script, client)
  expect(timeline.get()).toBe(timeline.empty())
  const peer = await script.online([head(120)])
  peer.send({ t: 'messages', conversation: 'c', items: [entry(121)] })
  await script.clock.advance(0)
  expect(timeline.get()).toMatchObject({ loading: true, hasOlder: true })
  await page(script, peer, 121)
  expect(seqs()).toEqual(range(71, 121))
  expect(timeline.get()).toMatchObject({ loading: false, hasOlder: true, error: undefined })
  const older = timeline.loadOlder()
  expect(timeline.loadOlder()).toBe(older)
  await page(script, peer, 121)
  await older
  void timeline.loadOlder()
  await page(script, peer, 121)
  expect(seqs()).toEqual(range(1, 121))
  expect(timeline.get()).toMatchObject({ loading: false, hasOlder: false })
  await timeline.loadOlder()
  expect(peer.of('sync')).toHaveLength(3)
})

it('takes older entries from the store while it has them, offline too', async () => {
  const script = new Script()
  const store = new MemoryClientStore()
  const first = script.client({ store })
  const peer = await script.online([head(0)])
  for (let from = 1; from < 130; from += 32)
    peer.send({ t: 'messages', conversation: 'c', items: entries(from, Math.min(from + 31, 130)) })
  await script.clock.advance(1_000)
  await first.close()
  const { timeline, seqs } = watch(script, script.client({ store, autoConnect: false }))
  await script.clock.advance(0)
  expect(seqs()).toEqual(range(81, 130))
  expect(timeline.get()).toMatchObject({ loading: false, hasOlder: true })
  for (const from of [31, 1]) {
    await timeline.loadOlder()
    await script.clock.advance(0)
    expect(seqs()).toEqual(range(from, 130))
  }
  expect(timeline.get()).toMatchObject({ loading: false, hasOlder: false })
})

it('shows an own message once from queued to read, under one key', async () => {
  const script = new Script()
  const client = script.client()
  const { timeline, views, states } = watch(script, client)
  const peer = await script.online([head(0)])
  client.send({ conversation: 'c', content: 'a', cid: 'a' })
  client.send({ conversation: 'c', content: 'b', cid: 'b' })
  await script.clock.advance(0)
  expect(states()).toEqual(['a sent', 'b queued'])
  peer.ack(await peer.next('send'), 1)
  peer.ack(await peer.next('send'), 2)
  await script.clock.advance(0)
  expect(states()).toEqual(['a stored', 'b stored'])
  peer.send({ t: 'cursor', conversation: 'c', user: 'ben', delivered: 2, read: 1 })
  await script.clock.advance(0)
  expect(states()).toEqual(['a read', 'b delivered'])
  for (const { messages } of views) {
    const keys = messages.map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
  }
  const lengths = views.map(({ messages }) => messages.length)
  // Never fewer than before: no row vanishes between its acknowledgement and its entry.
  expect(lengths).toEqual([...lengths].sort((a, b) => a - b))
  expect(timeline.get().messages.map(({ key, seq }) => [key, seq])).toEqual([
    ['a', 1],
    ['b', 2],
  ])
})

it('keeps the same objects where nothing has changed', async () => {
  const script = new Script()
  const client = script.client()
  const { timeline, views } = watch(script, client)
  const peer = await script.online([head(0)])
  peer.send({ t: 'messages', conversation: 'c', items: entries(1, 3) })
  await script.clock.advance(0)
  const before = timeline.get()
  const shown = views.length
  peer.send({ t: 'behind', heads: [head(7, { conversation: 'd' })] })
  peer.send({ t: 'messages', conversation: 'd', items: [entry(8, { conversation: 'd' })] })
  await script.clock.advance(10)
  expect(timeline.get()).toBe(before)
  expect(views).toHaveLength(shown)
  peer.send({ t: 'messages', conversation: 'c', items: [entry(4)] })
  await script.clock.advance(0)
  expect(timeline.get().messages.slice(0, 3)).toEqual(before.messages)
  timeline
    .get()
    .messages.slice(0, 3)
    .forEach((message, index) => {
      expect(message).toBe(before.messages[index])
    })
})

it('a failed message can be retried and discarded', async () => {
  const script = new Script()
  const client = script.client()
  const { timeline, states } = watch(script, client)
  const peer = await script.online([head(0)])
  client.send({ conversation: 'c', content: 'a', cid: 'a' }).catch(() => {})
  const { n } = await peer.next('send')
  peer.send({ t: 'error', re: n, code: 'not_found', message: '', fatal: false })
  await script.clock.advance(0)
  expect(timeline.get().messages[0]).toMatchObject({ state: 'failed', failed: 'not_found' })
  const again = timeline.get().messages[0]!.retry()
  await script.clock.advance(0)
  expect(states()).toEqual(['a sent'])
  const second = await peer.next('send')
  peer.send({ t: 'error', re: second.n, code: 'blocked', message: '', fatal: false })
  again.catch(() => {})
  await script.clock.advance(0)
  await expect(again).rejects.toMatchObject({ code: 'blocked' })
  await timeline.get().messages[0]!.discard()
  await script.clock.advance(0)
  expect(states()).toEqual([])
})

it('goes back with a log that was restored, and shows lost own messages as queued', async () => {
  const script = new Script()
  const client = script.client()
  const { timeline, seqs, states } = watch(script, client)
  const peer = await script.online([head(0)])
  peer.send({ t: 'messages', conversation: 'c', items: [...entries(1, 3), entry(4, { from: 'ann', cid: 'mine' })] })
  await script.clock.advance(0)
  peer.socket.close(1006)
  const log = restored(2, 3)
  const second = await script.online([head(3, { tail: log[2]!.id.slice(-8) })], 1)
  await serve(second, log)
  await script.clock.advance(100)
  expect(seqs()).toEqual([1, 2, 3, '4'])
  expect(states()[3]).toBe('4 sent')
  second.ack(await second.next('send'), 4)
  await script.clock.advance(0)
  expect(timeline.get().messages.map(({ content }) => content)).toEqual(['1', '2', log[2]!.content, '4'])
  expect(states()[3]).toBe('4 stored')
})

it('goes on behind entries that retention has taken', async () => {
  const script = new Script()
  const client = script.client()
  const { timeline, seqs } = watch(script, client)
  const peer = await script.online([head(0)])
  peer.send({ t: 'messages', conversation: 'c', items: entries(1, 2) })
  await script.clock.advance(0)
  peer.socket.close(1006)
  const second = await script.online([head(9, { first: 8 })], 1)
  const { n } = await second.next('sync')
  second.send({ t: 'page', re: n, conversation: 'c', items: entries(8, 9), head: 9, first: 8, more: false })
  await script.clock.advance(0)
  expect(seqs()).toEqual([1, 2, 8, 9])
  expect(timeline.get()).toMatchObject({ loading: false, hasOlder: false })
})

it('whoever comes back within one turn starts nothing again; later it goes on where it was', async () => {
  const script = new Script()
  const client = script.client()
  const { timeline, stop, seqs } = watch(script, client)
  const peer = await script.online([head(0)])
  peer.send({ t: 'messages', conversation: 'c', items: entries(1, 2) })
  await script.clock.advance(0)
  const listeners = client.listenerCount('reset')
  stop()
  const stopAgain = timeline.subscribe(() => {})
  await script.clock.advance(0)
  expect(client.listenerCount('reset')).toBe(listeners)
  stopAgain()
  await script.clock.advance(0)
  expect(client.listenerCount('reset')).toBe(listeners - 1)
  peer.send({ t: 'messages', conversation: 'c', items: entries(3, 4) })
  await script.clock.advance(0)
  expect(seqs()).toEqual([1, 2])
  timeline.subscribe(() => {})
  await script.clock.advance(0)
  expect(seqs()).toEqual([1, 2, 3, 4])
})

it('finds a conversation that another tab was told of', async () => {
  const script = new Script()
  const store = new MemoryClientStore()
  const { timeline } = watch(script, script.client({ store, autoConnect: false }))
  await script.clock.advance(1_000)
  expect(timeline.get().loading).toBe(true)
  await store.meet([head(0)])
  await script.clock.advance(2_000)
  expect(timeline.get()).toMatchObject({ loading: false, messages: [] })
})

it('says why a page did not come, and asks again', async () => {
  const script = new Script()
  const client = script.client()
  const { timeline, seqs } = watch(script, client)
  const peer = await script.online([head(1)])
  const { n } = await peer.next('sync')
  peer.send({ t: 'error', re: n, code: 'blocked', message: '', fatal: false })
  await script.clock.advance(0)
  expect(timeline.get()).toMatchObject({ loading: false, hasOlder: true, error: { code: 'blocked' } })
  void timeline.loadOlder()
  await page(script, peer, 1)
  expect(seqs()).toEqual([1])
  expect(timeline.get()).toMatchObject({ loading: false, hasOlder: false, error: undefined })
})
