import { SUBPROTOCOL } from '@kithwire/protocol'
import { expect, it } from 'vitest'
import { entries, entry, head, Script, tail } from './testing/script.js'

it('connects, says hello, and takes a welcome', async () => {
  const script = new Script()
  const client = script.client({ token: async () => 'secret' })
  const peer = await script.peer()
  expect(peer.url).toBe('ws://test/chat')
  expect(peer.protocols).toEqual([SUBPROTOCOL, 'kithwire.bearer.c2VjcmV0'])
  const hello = await peer.next('hello')
  expect(hello.device).toHaveLength(22)
  expect(hello).toMatchObject({ attempt: 1, cursors: [] })
  expect(hello.epoch).toBeUndefined()
  peer.welcome()
  await settled(script, client.connected())
  expect(client.state).toBe('online')
  expect(script.errors).toEqual([])
  await client.close()
  await script.clock.advance(0)
  expect(peer.closed).toBe(1000)
  expect(script.clock.pending).toBe(0)
})

it('sends, resolves with the ack, and shows the own message once', async () => {
  const script = new Script()
  const client = script.client()
  const seen: string[] = []
  client.onMessage((message) => {
    seen.push(`${message.seq} ${message.from} ${message.content} ${message.to}`)
  })
  const peer = await script.online([head(4)])
  const sent = client.send({ conversation: 'c', content: 'hello' })
  const frame = await peer.next('send')
  expect(frame.items).toMatchObject([{ type: 'text', content: 'hello' }])
  peer.ack(frame, 5)
  expect(await settled(script, sent)).toMatchObject({ seq: 5, cid: frame.items[0]!.cid })
  peer.send({ t: 'messages', conversation: 'c', items: [entry(6)] })
  await script.clock.advance(0)
  expect(seen).toEqual(['5 ann hello ben', '6 ben 6 undefined'])
  expect(peer.of('sync')).toEqual([])
})

it('keeps the article’s positional form and address', async () => {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(0)])
  void client.send('c', '你好啊', 'ben', 'emoji')
  expect((await peer.next('send')).items).toMatchObject([{ type: 'emoji', content: '你好啊' }])
})

it('resumes from its cursor and fills a hole with one sync', async () => {
  const script = new Script()
  const client = script.client()
  const seen: number[] = []
  client.onMessage((message) => void seen.push(message.seq))
  const first = await script.online([head(4)])
  first.send({ t: 'messages', conversation: 'c', items: [entry(5)] })
  await script.clock.advance(0)
  first.socket.close(1001)
  const second = await script.peer(1)
  expect(await second.next('hello')).toMatchObject({ attempt: 2, cursors: [['c', 5, tail(5)]], epoch: 'epoch' })
  second.welcome([head(9)])
  second.send({ t: 'messages', conversation: 'c', items: [entry(9)] })
  const sync = await second.next('sync')
  expect(sync).toMatchObject({ after: 5, tail: tail(5) })
  second.send({ t: 'page', re: sync.n, conversation: 'c', items: entries(6, 9), head: 9, first: 1, more: false })
  await script.clock.advance(1_000)
  expect(seen).toEqual([5, 6, 7, 8, 9])
  expect(second.of('sync')).toHaveLength(1)
})

async function settled<T>(script: Script, promise: Promise<T>): Promise<T> {
  await script.clock.advance(0)
  return promise
}
