import { expect, it } from 'vitest'
import { MemoryClientStore, type WsRequest } from './index.js'
import { entry, head, Script } from './testing/script.js'

const signal = (user: string, kind: 'typing' | 'presence', value: boolean, conversation = 'c') =>
  ({ t: 'signal', conversation, user, kind, value }) as const

function heard(client: WsRequest) {
  const words: string[] = []
  client.on('typing', ({ user, on }) => words.push(`${user} ${on ? 'types' : 'rests'}`))
  client.on('presence', ({ user, online }) => words.push(`${user} ${online ? 'comes' : 'goes'}`))
  return words
}

it('says that the user types every 3 s at most, and at once that it is over', async () => {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(0)])
  client.typing('c', false)
  for (let ms = 0; ms < 7_000; ms += 100) {
    client.typing('c', true)
    await script.clock.advance(100)
  }
  client.typing('c', false)
  client.typing('c', false)
  client.typing('c', true)
  await script.clock.advance(10)
  expect(peer.of('signal').map(({ value }) => value)).toEqual([true, true, true, false, true])
})

it('somebody types until they say otherwise, or say nothing for 6 s', async () => {
  const script = new Script()
  const client = script.client()
  const words = heard(client)
  const peer = await script.online([head(0)])
  for (const wait of [5_000, 5_000]) {
    peer.send(signal('ben', 'typing', true))
    await script.clock.advance(wait)
  }
  expect(words).toEqual(['ben types'])
  peer.send(signal('ben', 'typing', false))
  peer.send(signal('ben', 'typing', false))
  peer.send(signal('ben', 'typing', true))
  await script.clock.advance(5_900)
  expect(words).toEqual(['ben types', 'ben rests', 'ben types'])
  await script.clock.advance(200)
  expect(words.at(-1)).toBe('ben rests')
  peer.send(signal('ben', 'typing', true))
  peer.send({ t: 'messages', conversation: 'c', items: [entry(1)] })
  await script.clock.advance(10)
  // What they wrote is there.
  expect(words.slice(-2)).toEqual(['ben types', 'ben rests'])
})

it('a user is there in any of the conversations, and gone when gone from all', async () => {
  const script = new Script()
  const client = script.client()
  const words = heard(client)
  const peer = await script.online([head(0), head(0, { conversation: 'd' })])
  expect(client.presence('ben')).toBe(false)
  for (const conversation of ['c', 'd', 'd']) peer.send(signal('ben', 'presence', true, conversation))
  await script.clock.advance(10)
  expect([client.presence('ben'), client.presence('c'), client.presence('d')]).toEqual([true, true, true])
  peer.send(signal('ben', 'presence', false, 'c'))
  await script.clock.advance(10)
  expect([client.presence('ben'), client.presence('c'), client.presence('d')]).toEqual([true, false, true])
  peer.send(signal('ben', 'presence', false, 'd'))
  await script.clock.advance(10)
  expect([words, client.presence('ben')]).toEqual([['ben comes', 'ben goes'], false])
})

it('a short break of the connection makes nobody flicker; a new one must name who is still there', async () => {
  const script = new Script()
  const client = script.client()
  const words = heard(client)
  const first = await script.online([head(0)])
  first.send(signal('ben', 'presence', true))
  first.send(signal('cleo', 'presence', true, 'd'))
  await script.clock.advance(10)
  first.socket.close(1006)
  const second = await script.online([head(0)], 1)
  second.send(signal('ben', 'presence', true))
  await script.clock.advance(4_000)
  expect(words).toEqual(['ben comes', 'cleo comes'])
  await script.clock.advance(2_000)
  expect([words.at(-1), client.presence('ben')]).toEqual(['cleo goes', true])
  second.socket.cut()
  second.socket.close(1006)
  second.client.terminate()
  await script.clock.advance(12_000)
  expect(words.at(-1)).toBe('ben goes')
  await client.close()
  await script.clock.advance(100)
})

it('tabs without a connection hear the same, also those that come later, and type through the one that has it', async () => {
  const script = new Script()
  const store = new MemoryClientStore()
  const [leader, follower] = [script.client({ store }), script.client({ store })]
  const [one, other] = [heard(leader), heard(follower)]
  const peer = await script.online([head(0)])
  peer.send(signal('ben', 'presence', true))
  peer.send(signal('ben', 'typing', true))
  await script.clock.advance(10)
  expect(other).toEqual(['ben comes', 'ben types'])
  expect(other).toEqual(one)
  follower.typing('c', true)
  await script.clock.advance(10)
  expect(peer.of('signal')).toMatchObject([{ conversation: 'c', kind: 'typing', value: true }])
  const late = script.client({ store })
  await script.clock.advance(10)
  expect(late.presence('ben')).toBe(true)
  expect(one).toEqual(['ben comes', 'ben types'])
})
