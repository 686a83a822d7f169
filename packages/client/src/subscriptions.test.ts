import { expect, it, vi } from 'vitest'
import { MemoryClientStore } from './index.js'
import { serve } from './testing/log.js'
import { entries, entry, head, Script, tail } from './testing/script.js'

async function online(seq = 0, options: Parameters<Script['client']>[0] = {}) {
  const script = new Script()
  const client = script.client(options)
  const peer = await script.online([head(seq)])
  const push = async (from: number, to: number) => {
    peer.send({ t: 'messages', conversation: 'c', items: entries(from, to) })
    await script.clock.advance(0)
  }
  return { script, client, peer, push }
}

/** A store with so many entries, which a client before this one has left. */
async function left(seq: number) {
  const store = new MemoryClientStore()
  const { script, client, push } = await online(0, { store })
  await push(1, seq)
  await client.close()
  return { script, store }
}

it('calls a listener once per entry, in order, one at a time', async () => {
  const { script, client, push } = await online()
  const told: string[] = []
  const waiting: (() => void)[] = []
  client.onMessage((message) => {
    told.push(`begin ${message.seq}`)
    return new Promise<void>((resolve) => waiting.push(resolve)).then(() => void told.push(`end ${message.seq}`))
  })
  await push(1, 1)
  await push(2, 3)
  expect(told).toEqual(['begin 1'])
  for (let index = 0; index < 3; index++) {
    waiting[index]!()
    await script.clock.settle()
  }
  expect(told).toEqual([1, 2, 3].flatMap((seq) => [`begin ${seq}`, `end ${seq}`]))
})

it('goes on after a listener that throws, and tells of it', async () => {
  const { script, client, push } = await online()
  const seen: number[] = []
  client.onMessage((message) => {
    seen.push(message.seq)
    if (message.seq === 1) throw new Error('thrown')
    if (message.seq > 1) return Promise.reject(new Error('rejected'))
  })
  await push(1, 3)
  expect(seen).toEqual([1, 2, 3])
  expect(script.errors).toMatchObject([
    { code: 'internal', cause: { message: 'thrown' } },
    { code: 'internal', cause: { message: 'rejected' } },
    { code: 'internal', cause: { message: 'rejected' } },
  ])
})

it('lets each listener begin at its own place', async () => {
  const { script, client, push } = await online()
  await push(1, 3)
  const seen: Record<string, number[]> = { now: [], two: [], all: [], other: [] }
  client.onMessage((message) => void seen.now!.push(message.seq))
  client.onMessage((message) => void seen.two!.push(message.seq), { conversation: 'c', after: 2 })
  client.onMessage((message) => void seen.all!.push(message.seq), { after: { c: 0 } })
  client.onMessage((message) => void seen.other!.push(message.seq), { conversation: 'd' })
  await push(4, 4)
  expect(seen).toEqual({ now: [4], two: [3, 4], all: [1, 2, 3, 4], other: [] })
  expect(script.errors).toEqual([])
})

it('goes on, after a crash, behind the place that the app had saved', async () => {
  // Stored, but the process died before the listener was called.
  const { script, store } = await left(3)
  const seen: number[] = []
  script.client({ store }).onMessage((message) => void seen.push(message.seq), { after: { c: 1 } })
  await script.clock.advance(0)
  expect(seen).toEqual([2, 3])
})

it('tells an app that starts while another tab goes back that what it has handled is gone', async () => {
  const { script, store } = await left(3)
  // The other tab told its own app, before this one was there to listen, but after it read where it had been.
  await store.reset('c', { resets: 0, to: 2, tail: '', marks: [], at: 0 })
  const after = script.client({ store, autoConnect: false })
  const [told, seen]: [unknown[], number[]] = [[], []]
  after.on('reset', (reset) => told.push(reset))
  after.onMessage((message) => void seen.push(message.seq), { after: { c: 3 } })
  await script.clock.advance(0)
  expect(told).toEqual([{ conversation: 'c', to: 2, removed: 1 }])
  await store.apply('c', [entry(3)])
  await script.clock.advance(0)
  expect(seen).toEqual([3])
})

it('asks a new device’s first welcome for what the app has not seen', async () => {
  const script = new Script()
  const client = script.client()
  const seen: number[] = []
  client.onMessage((message) => void seen.push(message.seq), { after: { c: 3 } })
  await serve(await script.online([head(6)]), entries(1, 6))
  expect(seen).toEqual([4, 5, 6])
})

it('says what it cannot deliver: entries from before this device began', async () => {
  const { client, push } = await online(5)
  const gap = vi.fn()
  client.on('gap', gap)
  const seen: number[] = []
  client.onMessage((message) => void seen.push(message.seq), { after: { c: 2 } })
  await push(6, 6)
  expect(gap).toHaveBeenCalledExactlyOnceWith({ conversation: 'c', from: 3, to: 5 })
  expect(seen).toEqual([6])
})

it('ends with the function that it returned, and with close()', async () => {
  const { client, peer, script, push } = await online()
  const seen: number[] = []
  const stop = client.onMessage((message) => void seen.push(message.seq))
  await push(1, 1)
  stop()
  await push(2, 2)
  expect(seen).toEqual([1])
  const iterator = client.messages()
  const first = iterator.next()
  await push(3, 3)
  expect(await first).toMatchObject({ value: { seq: 3 } })
  const second = iterator.next()
  await client.close()
  expect(await second).toEqual({ done: true, value: undefined })
  peer.send({ t: 'messages', conversation: 'c', items: [entry(4)] })
  await script.clock.advance(0)
  expect(await iterator.next()).toEqual({ done: true, value: undefined })
})

it('keeps its place while the iterator’s consumer is slow', async () => {
  const { client, push, script } = await online()
  const iterator = client.messages({ conversation: 'c' })
  await push(1, 2)
  await push(3, 200)
  const seen: number[] = []
  for (let index = 0; index < 200; index++) {
    const next = iterator.next()
    await script.clock.settle()
    seen.push((await next).value!.seq)
  }
  expect(seen).toEqual(entries(1, 200).map((item) => item.seq))
  expect(await iterator.return!()).toEqual({ done: true, value: undefined })
})

it('tells of a store that fails, keeps its place, and goes on with the next look', async () => {
  const store = new MemoryClientStore()
  const { client, push, script } = await online(0, { store })
  const seen: number[] = []
  client.onMessage((message) => void seen.push(message.seq))
  const read = vi.spyOn(store, 'messages').mockRejectedValue(new Error('disk'))
  await push(1, 1)
  read.mockRestore()
  await push(2, 2)
  expect(seen).toEqual([1, 2])
  expect(script.errors[0]).toMatchObject({ cause: { message: 'disk' } })
})

it('delivers again after a reset that lost its socket half way', async () => {
  const store = new MemoryClientStore()
  const { client, push, script, peer } = await online(0, { store })
  const told: string[] = []
  client.on('reset', (reset) => told.push(`reset ${reset.to}`))
  client.onMessage((message) => void told.push(`${message.seq}`))
  await push(1, 3)
  peer.socket.close(1006)
  const second = await script.online([head(2)], 1)
  // The socket ends while the store is busy with the reset.
  let ended = false
  const reset = store.reset.bind(store)
  vi.spyOn(store, 'reset').mockImplementation(async (...args) => {
    second.socket.close(1006)
    await script.clock.advance(5)
    ended = true
    return reset(...args)
  })
  await serve(second, entries(1, 2), 200)
  await script.clock.until(() => ended)
  const third = await script.online([head(3)], 2)
  await serve(third, entries(1, 3))
  expect(told.slice(0, 4)).toEqual(['1', '2', '3', 'reset 2'])
  expect(told.at(-1)).toBe('3')
  expect((await store.conversation('c'))!.applied).toBe(3)
})

it('begins where the device began, for an app that names its places and has none in a conversation yet', async () => {
  const store = new MemoryClientStore()
  const first = await online(0, { store })
  await first.push(1, 2)
  // It ended before a listener was called: the entries are in the store, and nobody has handled them.
  await first.client.close()
  const again = new Script()
  const client = again.client({ store })
  const seen: Record<string, number[]> = { keeps: [], lives: [] }
  client.onMessage((message) => void seen.keeps!.push(message.seq), { after: {} })
  client.onMessage((message) => void seen.lives!.push(message.seq))
  await again.online([head(2)])
  expect(seen).toEqual({ keeps: [1, 2], lives: [] })
})

it('drops what it read of the log before a reset, even where it has delivered less than is left', async () => {
  const { script, store } = await left(4)
  const client = script.client({ store, autoConnect: false })
  const seen: string[] = []
  const read = store.messages.bind(store)
  vi.spyOn(store, 'messages').mockImplementationOnce(async (...args) => {
    const items = await read(...args)
    // Another tab goes back before this one looks where the store stands.
    await store.reset('c', { resets: 0, to: 3, tail: tail(3), marks: [], at: 0 })
    await store.apply('c', [entry(4, { content: 'of the restored log' })])
    return items
  })
  client.onMessage((message) => void seen.push(message.content), { after: { c: 1 } })
  await script.clock.advance(0)
  expect(seen).toEqual(['2', '3', 'of the restored log'])
})

it('delivers at the next welcome what another tab stored before it died, and told nobody', async () => {
  const { script, store } = await left(1)
  const seen: number[] = []
  script.client({ store }).onMessage((message) => void seen.push(message.seq))
  const first = await script.online([head(1)], 1)
  const read = store.messages.bind(store)
  vi.spyOn(store, 'messages').mockImplementationOnce(async (...args) => {
    const items = await read(...args)
    // Between the two looks of this tab, so that it sees where the store stands and has not read what is there.
    const tell = vi.spyOn(store, 'tell').mockImplementation(() => {})
    await store.apply('c', [entry(2)])
    tell.mockRestore()
    return items
  })
  store.tell({ kind: 'applied', conversation: 'c' })
  await script.clock.advance(0)
  expect(seen).toEqual([])
  first.socket.close(1006)
  await script.online([head(2)], 2)
  expect(seen).toEqual([2])
})
