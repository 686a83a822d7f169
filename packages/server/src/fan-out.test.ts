import { FakeClock } from '@kithwire/protocol/testing'
import { expect, it } from 'vitest'
import type { Authorizer } from './authorize.js'
import { FanOut } from './fan-out.js'
import { HotConversations } from './hot.js'
import { Log } from './log.js'
import { Privacy } from './privacy.js'
import type { Push } from './push.js'
import type { SessionRegistry } from './session-registry.js'
import { TestServer } from './testing/core-kit.js'
import { gate, StoreWrap } from './testing/store-wrap.js'

const item = (cid: string) => ({ cid, type: 'text', content: cid })

it.each([
  ['envelope', 'bare'],
  ['bare', 'envelope'],
])('hands out the %s and the %s of one commit in the order of their seqs', async (...kinds) => {
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
  for (const kind of kinds) {
    if (kind === 'envelope') ann.sendItems('c1', kind)
    else old.socket.send(JSON.stringify({ friend: 'c1', to: 'ben', content: kind }))
    await server.clock.advance(0)
  }
  open()
  await server.clock.advance(10)
  expect(reader.texts.map((text) => JSON.parse(text).content)).toEqual(['first', ...kinds])
  expect(reader.texts.map((text) => JSON.parse(text).seq)).toEqual([1, 2, 3])
})

it('keeps the order of pushes while it is asked who the members are', async () => {
  const pushed: number[] = []
  const peer = { push: (push: Push) => pushed.push(...push.bare('ben').map((text) => JSON.parse(text).seq)) }
  const { opened, open } = gate()
  const members = ['ann', 'ben']
  let known: string[] | undefined
  // As when somebody else's question is answered first: who asks from now on need not wait.
  const asked = async () => known ?? opened.then(() => members)
  const fanOut = new FanOut({
    registry: { receiversOf: (user: string) => (user === 'ben' ? [peer] : []) } as unknown as SessionRegistry,
    authorizer: { peek: () => known, members: asked } as unknown as Authorizer,
    log: new Log(new FakeClock(), undefined),
    hot: new HotConversations(10, false, () => {}),
    privacy: new Privacy({}, new Log(new FakeClock(), undefined), new FakeClock(), 1),
  })
  const push = (seq: number) => {
    const stored = [{ seq, id: `id${seq}`, at: 0, duplicate: false }]
    fanOut.stored({ conversation: 'c1', from: 'ann', items: [item(`m${seq}`)] }, { stored }, members)
  }
  const clock = new FakeClock()
  push(1)
  await clock.settle()
  known = members
  push(2)
  push(3)
  await clock.settle()
  expect(pushed).toEqual([])
  open()
  await clock.settle()
  expect(pushed).toEqual([1, 2, 3])
  push(4)
  // With nobody waiting, at once.
  expect(pushed).toEqual([1, 2, 3, 4])
})
