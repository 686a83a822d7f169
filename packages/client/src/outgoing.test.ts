import { expect, it } from 'vitest'
import { type IMessage, MemoryClientStore, sendState, type WsRequest } from './index.js'
import { entry, head, Script } from './testing/script.js'

/** The states of each message, in order, as one client was told of them. */
function watched(client: WsRequest) {
  const states: string[] = []
  const contents = new Map<string, string>()
  client.on('outgoing', ({ cid, state, code }) => {
    states.push([contents.get(cid) ?? cid, state, ...(code ? [code] : [])].join(' '))
  })
  const send = (content: string) => {
    contents.set(content, content)
    const sent = client.send({ conversation: 'c', content, cid: content })
    sent.catch(() => {})
    return sent
  }
  return { states, send }
}

const rows = async (client: WsRequest) => (await client.outgoing('c')).map(({ content, state }) => [content, state])

it('a message is queued, sent, and stored; a lost connection takes it back to queued', async () => {
  const script = new Script()
  const client = script.client()
  const { states, send } = watched(client)
  const sent = send('a')
  await script.clock.settle()
  expect(await rows(client)).toEqual([['a', 'queued']])
  const first = await script.online([head(0)])
  await first.next('send')
  expect(await rows(client)).toEqual([['a', 'sent']])
  first.socket.close(1006)
  await script.clock.advance(0)
  expect(await rows(client)).toEqual([['a', 'queued']])
  const second = await script.online([head(0)], 1)
  const frame = await second.next('send')
  send('b')
  await script.clock.settle()
  expect(await rows(client)).toEqual([
    ['a', 'sent'],
    ['b', 'queued'],
  ])
  second.ack(frame, 1)
  second.ack(await second.next('send'), 2)
  await script.clock.advance(0)
  expect(await sent).toMatchObject({ seq: 1 })
  expect(await client.outgoing()).toEqual([])
  expect(states).toEqual(['a queued', 'a sent', 'a queued', 'a sent', 'b queued', 'a stored', 'b sent', 'b stored'])
})

it('what is refused for now is queued again, and what is acknowledged above a hole stays sent', async () => {
  const script = new Script()
  const client = script.client()
  const { states, send } = watched(client)
  const peer = await script.online([head(0)])
  send('a')
  const frame = await peer.next('send')
  peer.send({
    t: 'ack',
    re: frame.n,
    conversation: 'c',
    items: [],
    refused: { cid: 'a', code: 'busy', retry: true },
  })
  await script.clock.advance(0)
  expect(await rows(client)).toEqual([['a', 'queued']])
  peer.ack(await peer.next('send'), 3)
  await script.clock.advance(0)
  expect(await rows(client)).toEqual([['a', 'sent']])
  const sync = await peer.next('sync')
  const items = [entry(1), entry(2), entry(3, { from: 'ann', cid: 'a', content: 'a' })]
  peer.send({ t: 'page', re: sync.n, conversation: 'c', items, head: 3, first: 1, more: false })
  await script.clock.advance(0)
  expect(await client.outgoing()).toEqual([])
  expect(states).toEqual(['a queued', 'a sent', 'a queued', 'a sent', 'a stored'])
})

it('what was set aside is sent again under a new cid, and its old row goes away with it', async () => {
  const script = new Script()
  const client = script.client()
  const { states, send } = watched(client)
  const peer = await script.online([head(0)])
  const first = send('a')
  const frame = await peer.next('send')
  const refused = { cid: 'a', code: 'blocked', retry: false } as const
  peer.send({ t: 'ack', re: frame.n, conversation: 'c', items: [], refused })
  await script.clock.advance(0)
  await expect(first).rejects.toMatchObject({ code: 'blocked' })
  expect(await client.outgoing('c')).toMatchObject([{ content: 'a', state: 'failed', failed: 'blocked' }])
  const again = client.retry('c', 'a')
  await expect(client.retry('c', 'a')).rejects.toMatchObject({ code: 'bad_state' })
  const [row] = await client.outgoing('c')
  const { cid } = row!
  expect(row).toMatchObject({ content: 'a', state: 'sent' })
  peer.ack(await peer.next('send'), 1)
  await script.clock.advance(0)
  expect(await again).toMatchObject({ cid, seq: 1 })
  expect(cid).not.toBe('a')
  expect(states.slice(2)).toEqual(['a failed blocked', 'a discarded', `${cid} queued`, `${cid} sent`, `${cid} stored`])
  await client.close()
  await expect(client.retry('c', cid)).rejects.toMatchObject({ code: 'closed' })
})

it('every tab sees the same states, whoever has the socket', async () => {
  const script = new Script()
  const store = new MemoryClientStore()
  const [leader, follower] = [script.client({ store }), script.client({ store })]
  const one = watched(leader)
  const other = watched(follower)
  const peer = await script.online([head(0)])
  expect([leader.user, follower.state]).toEqual(['ann', 'online'])
  one.send('a')
  other.send('b')
  for (const seq of [1, 2]) {
    const frame = await peer.next('send')
    await script.clock.settle()
    expect(await rows(follower)).toEqual(await rows(leader))
    expect((await rows(follower))[0]![1]).toBe('sent')
    peer.ack(frame, seq)
    await script.clock.advance(0)
  }
  expect(one.states).toEqual(other.states)
  expect(one.states.filter((state) => state.startsWith('b'))).toEqual(['b queued', 'b sent', 'b stored'])
})

it('a listener that throws is reported, and nothing is lost by it', async () => {
  const script = new Script()
  const client = script.client()
  client.on('outgoing', () => {
    throw new Error('of the app')
  })
  const peer = await script.online([head(0)])
  const sent = client.send({ conversation: 'c', content: 'a' })
  peer.ack(await peer.next('send'), 1)
  await script.clock.advance(0)
  expect(await sent).toMatchObject({ seq: 1 })
  expect(peer.of('send')).toHaveLength(1)
  expect(script.errors).toHaveLength(3)
  expect(script.errors[0]).toMatchObject({ code: 'internal', cause: new Error('of the app') })
})

it('an entry is delivered and read when every other member has got that far', () => {
  const own: Pick<IMessage, 'from' | 'seq'> = { from: 'ann', seq: 5 }
  expect(sendState(own, [], 'ann')).toBe('stored')
  expect(sendState(own, [['ben', 4, 4]], 'ann')).toBe('stored')
  expect(sendState(own, [['ben', 5, 4]], 'ann')).toBe('delivered')
  expect(sendState(own, [['ben', 7, 5]], 'ann')).toBe('read')
  const group = (cleo: number) =>
    [
      ['ann', 0, 0],
      ['ben', 9, 9],
      ['cleo', 5, cleo],
    ] as const
  expect(sendState(own, group(4), 'ann')).toBe('delivered')
  expect(sendState(own, group(5), 'ann')).toBe('read')
  expect(sendState({ from: 'ben', seq: 1 }, [['ben', 9, 9]], 'ann')).toBe('stored')
})
