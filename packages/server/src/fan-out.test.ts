import { expect, it } from 'vitest'
import { TestServer } from './testing/core-kit.js'
import { gate, StoreWrap } from './testing/store-wrap.js'

const item = (cid: string) => ({ cid, type: 'text', content: cid })
const seqsOf = (texts: readonly string[]) => texts.map((text) => JSON.parse(text).seq)

it('hands out a bare frame and an envelope of one commit in the order of their seqs', async () => {
  const hooks = new StoreWrap()
  const server = new TestServer({ wrap: hooks.wrap })
  const reader = server.connectLegacy('ben')
  const ann = await server.enter('ann')
  const old = server.connectLegacy('ann')
  const { opened, open } = gate()
  hooks.before.append = () => opened
  // The first send keeps the store busy, so that the next two are one commit.
  void server.core.send({ conversation: 'c1', from: 'ben', items: [item('first')] })
  await server.clock.advance(0)
  ann.send({ t: 'send', n: 1, conversation: 'c1', items: [item('envelope')] })
  await server.clock.advance(0)
  old.socket.send(JSON.stringify({ friend: 'c1', to: 'ben', content: 'bare' }))
  await server.clock.advance(0)
  open()
  await server.clock.advance(10)
  expect(seqsOf(reader.texts)).toEqual([1, 2, 3])
})

it('keeps the order of pushes while it is asked who the members are', async () => {
  const server = new TestServer()
  const reader = server.connectLegacy('ben')
  await server.core.send({ conversation: 'c1', from: 'ann', items: [item('known')] })
  await server.clock.advance(0)
  const { opened, open } = gate()
  const { members } = server.friends
  let asked = 0
  server.friends.members = async (conversation) => {
    // Who may send is answered at once, who is to hear of it takes its time.
    if (++asked === 2) await opened
    return members.call(server.friends, conversation)
  }
  const send = server.core.send({ conversation: 'c1', from: 'ann', items: [item('waits')] })
  await server.core.membershipChanged('c1', [])
  await send
  void server.core.send({ conversation: 'c1', from: 'ann', items: [item('later')] }).catch(() => {})
  await server.clock.advance(0)
  open()
  await server.clock.advance(10)
  expect(seqsOf(reader.texts)).toEqual([1, 2, 3])
})
