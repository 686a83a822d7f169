import { FakeClock } from '@kithwire/protocol/testing'
import { expect, it } from 'vitest'
import type { Authorizer } from './authorize.js'
import { FanOut, type Push } from './fan-out.js'
import { Log } from './log.js'
import type { SessionRegistry } from './session-registry.js'
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
  const pushed: number[] = []
  const peer = { push: (push: Push) => pushed.push(...push.bare('ben').map((text) => JSON.parse(text).seq)) }
  const { opened, open } = gate()
  const known = [undefined, ['ann', 'ben']]
  const fanOut = new FanOut(
    { receiversOf: (user: string) => (user === 'ben' ? [peer] : []) } as unknown as SessionRegistry,
    { peek: () => known.shift(), members: () => opened.then(() => ['ann', 'ben']) } as unknown as Authorizer,
    new Log(new FakeClock(), undefined),
  )
  for (const seq of [1, 2]) {
    const stored = [{ seq, id: `id${seq}`, at: 0, duplicate: false }]
    fanOut.stored({ conversation: 'c1', from: 'ann', items: [item(`m${seq}`)] }, { stored }, ['ann', 'ben'])
  }
  open()
  await new FakeClock().settle()
  expect(pushed).toEqual([1, 2])
})
