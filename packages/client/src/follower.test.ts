import { expect, it } from 'vitest'
import type { StoreChange } from './client-store.js'
import { MemoryClientStore } from './index.js'
import { entries, head, Script } from './testing/script.js'

/** A store two of whose clients may not hear of changes: whoever made them has died before telling. */
class DeafStore extends MemoryClientStore {
  deaf = false

  override tell(change: StoreChange): void {
    if (!this.deaf || change.kind === 'tab') super.tell(change)
  }
}

function tabs(store = new MemoryClientStore()) {
  const script = new Script()
  const [one, other] = [script.client({ store }), script.client({ store })]
  return { script, store, one, other }
}

it('shows what the connection of the leading tab does, and who the user is', async () => {
  const { script, one, other } = tabs()
  const states: string[] = []
  other.on('state', (state, { from }) => states.push(`${from} ${state}`))
  const peer = await script.online([head(0)])
  await other.connected()
  expect([one.state, other.state, other.user]).toEqual(['online', 'online', 'ann'])
  peer.socket.close(1006)
  await script.clock.advance(0)
  expect(other.state).toBe('waiting')
  await script.online([head(0)], 1)
  expect(states).toEqual([
    'following connecting',
    'connecting greeting',
    'greeting online',
    'online waiting',
    'waiting connecting',
    'connecting greeting',
    'greeting online',
  ])
})

it('a tab that comes later learns of the connection at once', async () => {
  const { script, store } = tabs()
  await script.online([head(0)])
  const third = script.client({ store })
  await third.connected()
  expect(third.state).toBe('online')
  expect(script.peers).toHaveLength(1)
})

it('asks for older entries, a sign of life and typing through the leading tab', async () => {
  const { script, other } = tabs()
  const peer = await script.online([head(9)])
  const page = other.history('c', { before: 5, limit: 3 })
  const { n, before, limit } = await peer.next('sync')
  expect([before, limit]).toEqual([5, 3])
  peer.send({ t: 'page', re: n, conversation: 'c', items: entries(2, 4), head: 9, first: 1, more: true })
  await script.clock.advance(0)
  expect(await page).toEqual({ items: entries(2, 4), head: 9, first: 1, more: true })
  const alive = other.heartbeat()
  peer.send({ t: 'pong', re: (await peer.next('ping')).n })
  await script.clock.advance(0)
  expect(await alive).toBeTypeOf('number')
  other.typing('c', true)
  expect(await peer.next('signal')).toMatchObject({ conversation: 'c', kind: 'typing', value: true })
})

it('tells what the server refuses, and what is wrong', async () => {
  const { script, other } = tabs()
  const peer = await script.online([head(9)])
  const page = other.history('c')
  const { n } = await peer.next('sync')
  peer.send({ t: 'page', re: n, conversation: 'c', refused: { code: 'not_found', retry: false } })
  const refused = expect(page).rejects.toMatchObject({ code: 'not_found' })
  await script.clock.advance(0)
  await refused
  await expect(other.history('no id')).rejects.toMatchObject({ code: 'bad_field' })
})

it('what was asked of a tab that ended is asked of the next, or done by oneself', async () => {
  const { script, store, one, other } = tabs()
  const third = script.client({ store })
  const first = await script.online([head(9)])
  const pages = [other.history('c'), third.history('c')]
  await first.next('sync')
  await one.close()
  const second = await script.online([head(9)], 1)
  for (let count = 0; count < 2; count++) {
    const { n } = await second.next('sync')
    second.send({ t: 'page', re: n, conversation: 'c', items: entries(8, 9), head: 9, first: 1, more: true })
  }
  await script.clock.advance(0)
  for (const page of pages) expect((await page).items).toEqual(entries(8, 9))
  expect([other.state, third.state]).toEqual(['online', 'online'])
})

it('gives up what was asked when it is closed', async () => {
  const { script, other } = tabs()
  const peer = await script.online([head(9)])
  const page = other.history('c')
  await peer.next('sync')
  await other.close()
  await expect(page).rejects.toMatchObject({ code: 'closed' })
})

it('hears the signals and the news that the leading tab is sent', async () => {
  const { script, other } = tabs()
  const heard: unknown[] = []
  other.on('signal', (signal) => heard.push(signal))
  other.on('behind', (conversations) => heard.push(conversations))
  const peer = await script.online([head(0)])
  peer.send({ t: 'signal', conversation: 'c', user: 'ben', kind: 'typing', value: true })
  peer.send({ t: 'behind', heads: [head(0, { conversation: 'd' })] })
  await script.clock.advance(0)
  expect(heard).toEqual([{ conversation: 'c', user: 'ben', kind: 'typing', value: true }, ['d']])
})

it('sees what a tab stored that died before it told', async () => {
  const store = new DeafStore()
  const { script, one, other } = tabs(store)
  const seen: number[] = []
  other.onMessage((message) => void seen.push(message.seq))
  const first = await script.online([head(0)])
  const sent = other.send({ conversation: 'c', content: 'x' })
  first.ack(await first.next('send'), 1)
  store.deaf = true
  await script.clock.advance(0)
  expect(seen).toEqual([])
  store.deaf = false
  await one.close()
  await script.online([head(1)], 1)
  expect(seen).toEqual([1])
  expect(await sent).toMatchObject({ seq: 1 })
})

it('looks after what it missed when its page wakes up', async () => {
  const store = new DeafStore()
  const script = new Script()
  const leading = script.client({ store })
  let wake = () => {}
  const wakeups = {
    listen(run: (why: 'visible') => void) {
      wake = () => run('visible')
      return () => {}
    },
  }
  const other = script.client({ store, wakeups })
  const seen: number[] = []
  other.onMessage((message) => void seen.push(message.seq))
  const peer = await script.online([head(0)])
  store.deaf = true
  peer.send({ t: 'messages', conversation: 'c', items: entries(1, 2) })
  await script.clock.advance(0)
  expect([leading.state, other.state, seen]).toEqual(['online', 'online', []])
  wake()
  await script.clock.advance(0)
  expect(seen).toEqual([1, 2])
  expect(script.peers).toHaveLength(1)
})

it('the leading tab sends what a tab queued that died before it told, once another one opens', async () => {
  const store = new DeafStore()
  const { script } = tabs(store)
  const peer = await script.online([head(0)])
  store.deaf = true
  const row = { conversation: 'c', cid: 'a', type: 'text', content: 'x', queuedAt: 1 }
  await store.enqueue(row, { items: 9, bytes: 99, oldest: 0 })
  store.deaf = false
  await script.clock.advance(10_000)
  expect(peer.of('send')).toEqual([])
  script.client({ store })
  expect((await peer.next('send')).items).toMatchObject([{ cid: 'a' }])
})

it('ignores what a tab of another version says', async () => {
  const { script, store, other } = tabs()
  await script.online([head(0)])
  store.tell({ kind: 'tab', from: 'newer', message: { say: 'dance' } as never })
  store.tell({ kind: 'newer' } as never)
  store.tell({ kind: 'tab', from: 'newer', message: { say: 'ask', n: 1, call: 'dance', args: [] } })
  await script.clock.advance(1_000)
  expect(other.state).toBe('online')
  expect(script.errors).toEqual([])
})
