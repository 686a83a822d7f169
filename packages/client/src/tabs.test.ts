import { expect, it } from 'vitest'
import { MemoryClientStore } from './index.js'
import { serve } from './testing/log.js'
import { entries, entry, head, Script } from './testing/script.js'

/** A store on a platform without locks: everybody may lead. */
class LocklessStore extends MemoryClientStore {
  override lead(granted: () => void): () => void {
    granted()
    return () => {}
  }
}

function tabs(store: MemoryClientStore) {
  const script = new Script()
  const seen: [number[], number[]] = [[], []]
  const clients = [0, 1].map((index) => {
    const client = script.client({ store })
    client.onMessage((message) => void seen[index as 0 | 1].push(message.seq))
    return client
  })
  return { script, seen, one: clients[0]!, other: clients[1]! }
}

it('one tab connects, all tabs hear, and what one queues the other sends', async () => {
  const { script, seen, one, other } = tabs(new MemoryClientStore())
  const peer = await script.online([head(0)])
  expect([one.state, other.state]).toEqual(['online', 'online'])
  const sent = other.send({ conversation: 'c', content: 'from the follower' })
  peer.ack(await peer.next('send'), 1)
  peer.send({ t: 'messages', conversation: 'c', items: [entry(2)] })
  await script.clock.advance(0)
  expect(await sent).toMatchObject({ seq: 1 })
  expect(seen).toEqual([
    [1, 2],
    [1, 2],
  ])
  expect(script.peers).toHaveLength(1)
})

it('another tab takes over when the leader closes, as the same device', async () => {
  const { script, one, other } = tabs(new MemoryClientStore())
  const first = await script.online([head(0)])
  await one.close()
  const second = await script.online([head(0)], 1)
  expect(other.state).toBe('online')
  const [before, after] = [first.of('hello')[0]!, second.of('hello')[0]!]
  expect(after.device).toBe(before.device)
  expect(after.attempt).toBe(before.attempt + 1)
})

it('hands over at 4009, and takes up again when the other tab ends', async () => {
  const { script, one, other } = tabs(new MemoryClientStore())
  const first = await script.online([head(0)])
  first.socket.close(4009)
  await script.online([head(0)], 1)
  expect([one.state, other.state]).toEqual(['online', 'online'])
  await other.close()
  const start = script.clock.monotonic()
  await script.online([head(0)], 2)
  expect(one.state).toBe('online')
  expect(script.clock.monotonic() - start).toBeGreaterThanOrEqual(5_000)
})

it('two leading tabs each show every entry once and in order, and keep their device id', async () => {
  const { script, seen } = tabs(new LocklessStore())
  const [a, b] = [await script.online([head(0)], 0), await script.online([head(0)], 1)]
  a.send({ t: 'messages', conversation: 'c', items: entries(1, 2) })
  b.send({ t: 'messages', conversation: 'c', items: [entry(1)] })
  b.send({ t: 'messages', conversation: 'c', items: entries(2, 3) })
  a.send({ t: 'messages', conversation: 'c', items: entries(3, 4) })
  await script.clock.advance(0)
  expect(seen).toEqual([
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ])
  // Whoever comes back replaces the other, for ever: that is no copied store.
  a.socket.close(4009)
  for (let index = 2; index < 6; index++) {
    const peer = await script.online([head(4)], index)
    const [hello] = peer.of('hello')
    expect(hello!.device).toBe(a.of('hello')[0]!.device)
    script.peers[index - 1]!.socket.close(4009)
  }
})

it('both tabs hear of a reset, each before the entries that follow it', async () => {
  const script = new Script()
  const store = new MemoryClientStore()
  const told: string[][] = [[], []]
  for (const list of told) {
    const client = script.client({ store })
    client.on('reset', (reset) => list.push(`reset ${reset.to}`))
    client.onMessage((message) => void list.push(`${message.seq}`))
  }
  const first = await script.online([head(0)])
  first.send({ t: 'messages', conversation: 'c', items: entries(1, 3) })
  await script.clock.advance(0)
  first.socket.close(1006)
  const second = await script.online([head(2)], 1)
  await serve(second, entries(1, 2))
  second.send({ t: 'messages', conversation: 'c', items: [entry(3, { id: 'another-entry' })] })
  await script.clock.advance(500)
  expect(told[0]).toEqual(['1', '2', '3', 'reset 2', '3'])
  expect(told[1]).toEqual(told[0])
})

it('opens the store of another user when the server says so, and sends nothing of the first', async () => {
  const script = new Script()
  const stores = new Map<string | undefined, MemoryClientStore>()
  const ann = new MemoryClientStore()
  await ann.claim('ann')
  const client = script.client({
    store: (user) => {
      const store = user === undefined ? ann : (stores.get(user) ?? new MemoryClientStore())
      stores.set(user, store)
      return store
    },
  })
  const lost = client.send({ conversation: 'c', content: 'of ann' })
  lost.catch(() => {})
  const first = await script.online([head(0)], 0, { user: 'ben' })
  await expect(lost).rejects.toMatchObject({ code: 'closed' })
  const second = await script.online([head(0)], 1, { user: 'ben' })
  await script.clock.advance(5_000)
  expect(client.state).toBe('online')
  expect([...first.of('send'), ...second.of('send')]).toEqual([])
  expect(await ann.queued('c', 9)).toMatchObject([{ content: 'of ann' }])
  expect(second.of('hello')[0]!.device).not.toBe(first.of('hello')[0]!.device)
})

it('stops when its only store is another user’s', async () => {
  const script = new Script()
  const store = new MemoryClientStore()
  await store.claim('ann')
  const client = script.client({ store })
  await script.online([head(0)], 0, { user: 'ben' })
  expect(client.state).toBe('stopped')
  expect(script.errors).toMatchObject([{ code: 'forbidden' }])
})
