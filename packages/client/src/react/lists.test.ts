import { expect, it } from 'vitest'
import { type Fetch, FriendsClient, type Friendship } from '../friends.js'
import { entry, head, type Peer, Script } from '../testing/script.js'
import { chatModel, type Source } from './chat-model.js'
import { connectionOf } from './connection-view.js'
import { conversationsOf } from './conversation-list.js'
import { friendListOf } from './friend-list.js'
import { presenceOf, typingIn } from './typing.js'

const friendship = (id: string, change: Partial<Friendship> = {}): Friendship => ({
  ...{ id, user: 'ben', state: 'accepted', requester: 'ann', blockedBy: [], createdAt: 1, changedAt: 1 },
  ...change,
})

function scripted(friends?: FriendsClient) {
  const script = new Script()
  const client = script.client()
  const source: Source = chatModel(() => client, false, friends, script.clock)
  return { script, client, source }
}

/** Answers a question for the newest entry. */
async function newest(script: Script, peer: Peer, seq: number) {
  const { n, conversation } = await peer.next('sync')
  const items = [entry(seq, { conversation, createdAt: seq })]
  peer.send({ t: 'page', re: n, conversation, items, head: seq, first: 1, more: true })
  await script.clock.advance(0)
}

it('conversations: the newest first, with the newest entry of each, and rows that stay the same', async () => {
  const { script, source } = scripted()
  const list = conversationsOf(source)
  list.subscribe(() => {})
  const peer = await script.online([head(3), head(5, { conversation: 'd' }), head(0, { conversation: 'e' })])
  await script.clock.advance(0)
  await newest(script, peer, 3)
  await newest(script, peer, 5)
  const shown = () => list.get().map(({ conversation, last }) => [conversation, last?.content])
  expect(shown()).toEqual([
    ['d', '5'],
    ['c', '3'],
    ['e', undefined],
  ])
  const before = list.get()
  peer.send({ t: 'messages', conversation: 'c', items: [entry(4, { createdAt: 9 })] })
  await script.clock.advance(0)
  expect(shown()[0]).toEqual(['c', '4'])
  expect(list.get()[1]).toBe(before[0])
  const now = list.get()
  await script.clock.advance(100)
  expect(list.get()).toBe(now)
  // A new one, whose first entries come with it.
  peer.send({ t: 'behind', heads: [head(0, { conversation: 'f' })] })
  peer.send({ t: 'messages', conversation: 'f', items: [entry(1, { conversation: 'f', createdAt: 99 })] })
  await script.clock.advance(0)
  expect(shown()[0]).toEqual(['f', '1'])
})

it('the connection: phase, user, and why it was refused', async () => {
  const { script, source } = scripted()
  const connection = connectionOf(source)
  connection.subscribe(() => {})
  expect(connection.get().online).toBe(false)
  const peer = await script.online()
  expect(connection.get()).toMatchObject({ phase: 'online', online: true, user: 'ann', error: undefined })
  peer.socket.close(4501)
  await script.clock.advance(0)
  expect(connection.get()).toMatchObject({ phase: 'stopped', code: 4501, error: { code: 'unauthorized' } })
})

it('typing: until said otherwise, a message comes, or nothing more is heard', async () => {
  const { script, source } = scripted()
  const typing = typingIn(source, 'c')
  typing.subscribe(() => {})
  const peer = await script.online([head(0), head(0, { conversation: 'd' })])
  const signal = async (value: boolean, conversation = 'c') => {
    peer.send({ t: 'signal', conversation, user: 'ben', kind: 'typing', value })
    await script.clock.advance(0)
    return typing.get()
  }
  expect(await signal(true, 'd')).toEqual([])
  expect(await signal(true)).toEqual(['ben'])
  expect(await signal(false)).toEqual([])
  await signal(true)
  peer.send({ t: 'messages', conversation: 'c', items: [entry(1)] })
  await script.clock.advance(0)
  expect(typing.get()).toEqual([])
  await signal(true)
  await script.clock.advance(8_000)
  expect(typing.get()).toEqual([])
})

it('presence: of a user and of a conversation, until they go or the connection is lost', async () => {
  const { script, source } = scripted()
  const [user, conversation] = [presenceOf(source, 'ben'), presenceOf(source, 'c')]
  for (const each of [user, conversation]) each.subscribe(() => {})
  const peer = await script.online([head(0)])
  expect(user.get()).toBe(false)
  peer.send({ t: 'signal', conversation: 'c', user: 'ben', kind: 'presence', value: true })
  await script.clock.advance(0)
  expect([user.get(), conversation.get()]).toEqual([true, true])
  peer.send({ t: 'signal', conversation: 'c', user: 'ben', kind: 'presence', value: false })
  await script.clock.advance(0)
  expect([user.get(), conversation.get()]).toEqual([false, false])
})

it('friends: sorted by what can be done, asked again after a change, a connection, and in a while', async () => {
  const asked: string[] = []
  let rows = [
    friendship('f'),
    friendship('i', { user: 'cyd', state: 'pending', requester: 'cyd' }),
    friendship('o', { user: 'dan', state: 'pending' }),
    friendship('b', { user: 'eve', blockedBy: ['ann'] }),
    friendship('x', { user: 'fay', blockedBy: ['fay'] }),
  ]
  const fetch: Fetch = async (url, { method }) => {
    asked.push(`${method} ${url}`)
    return { ok: true, status: 200, json: async () => (method === 'GET' ? rows : rows[0]) }
  }
  const { script, source } = scripted(new FriendsClient('/chat/', { fetch }))
  const list = friendListOf(source)
  list.subscribe(() => {})
  await script.online()
  const names = () => {
    const { friends, incoming, outgoing, blocked } = list.get()
    return [friends, incoming, outgoing, blocked].map((part) => part.map(({ user }) => user).join())
  }
  expect(names()).toEqual(['ben,fay', 'cyd', 'dan', 'eve'])
  const before = list.get()
  await script.clock.advance(20_000)
  expect(list.get()).toBe(before)
  rows = rows.filter(({ id }) => id !== 'i')
  asked.length = 0
  await list.actions.decline('i')
  expect(asked).toEqual(['POST /chat/friendships/i/decline', 'GET /chat/friendships'])
  expect(names()[1]).toBe('')
})

it('friends without a client for them say what is missing', async () => {
  const { script, source } = scripted()
  const list = friendListOf(source)
  list.subscribe(() => {})
  await script.clock.advance(0)
  expect(list.get()).toMatchObject({ loading: false, error: { code: 'bad_option' } })
})

it('a client that is owned is made when needed, once, and closed when nobody is there', async () => {
  const script = new Script()
  let made = 0
  const make = () => {
    made++
    return script.client()
  }
  const model = chatModel(make, true, undefined, script.clock)
  expect(made).toBe(0)
  const stop = model.lifetime.subscribe(() => {})
  stop()
  const again = model.lifetime.subscribe(() => {})
  await script.clock.advance(0)
  const client = model.client()
  expect([made, client.state]).not.toContain('closed')
  again()
  await script.clock.advance(0)
  expect(client.state).toBe('closed')
  expect(made).toBe(1)
})
