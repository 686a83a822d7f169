import { type IMessage, MemoryClientStore, sendState, WsRequest } from '@kithwire/client'
import { ChatKit } from '@kithwire/server/testing'
import { expect, it } from 'vitest'

const HOUR = 3_600_000
const DAY = 24 * HOUR

function inbox(client: WsRequest) {
  const messages: IMessage[] = []
  client.onMessage((message) => void messages.push(message))
  return messages
}

const unreadOf = async (client: WsRequest) => (await client.conversations())[0]!.unread

it('ten days of outages, restarts, sleep and two devices lose nothing and double nothing', async () => {
  const started = performance.now()
  const kit = new ChatKit(WsRequest)
  const conversation = await kit.befriend('ann', 'ben')
  const [ann, ben, phone] = [kit.client('ann'), kit.client('ben'), kit.client('ben')]
  const views = [ann, ben, phone].map(inbox)
  await kit.advance(1_000)
  const write = (client: WsRequest, count: number, day: number) => {
    for (let n = 1; n <= count; n++) void client.send({ conversation, content: `day ${day}, ${n}` })
  }
  for (let day = 1; day <= 10; day++) {
    if (day % 2 === 0) kit.offline(ben, day % 4 === 0 ? 'silent' : 'refused')
    if (day % 3 === 0) kit.sleep(phone)
    write(ann, 5, day)
    await kit.advance(HOUR)
    kit.restart()
    write(ben, 3, day)
    await kit.advance(HOUR)
    if (day % 5 === 0) kit.stop()
    write(phone, 2, day)
    await kit.advance(HOUR)
    kit.start()
    kit.online(ben)
    kit.wake(phone)
    await kit.advance(DAY - 3 * HOUR)
  }
  const all = 10 * 10
  for (const view of views) {
    expect(view.map(({ seq }) => seq)).toEqual(Array.from({ length: all }, (_, index) => index + 1))
    expect(new Set(view.map(({ cid }) => cid)).size).toBe(all)
  }
  expect(views[1]).toEqual(views[0])
  expect(views[2]).toEqual(views[0])
  expect(await unreadOf(ben)).toBe(50)
  await phone.markRead(conversation, all)
  await kit.advance(5_000)
  expect([await unreadOf(ben), await unreadOf(phone)]).toEqual([0, 0])
  const [state] = await ann.conversations()
  const own = views[0]!.find(({ from }) => from === 'ann')!
  expect([state!.unread, sendState(own, state!.marks, 'ann')]).toEqual([50, 'read'])
  await kit.close()
  console.log(`ten days took ${Math.round(performance.now() - started)} ms`)
})

it('typing, presence and unread go from one to the other, and to whom they may', async () => {
  const hidden = new Set<string>()
  const kit = new ChatKit(WsRequest, { privacy: { presence: (user) => !hidden.has(user) } })
  const conversation = await kit.befriend('ann', 'ben')
  const store = new MemoryClientStore()
  const [ann, ben, tab] = [kit.client('ann'), kit.client('ben', { store }), kit.client('ben', { store })]
  await kit.until(() => ann.presence('ben') && tab.presence('ann'))
  const typing: string[] = []
  ann.on('typing', ({ user, on }) => typing.push(`${user} ${on}`))
  tab.typing(conversation, true)
  await kit.advance(10_000)
  expect(typing).toEqual(['ben true', 'ben false'])
  await kit.wait(ann.send({ conversation, content: 'hello' }))
  await kit.advance(1_000)
  expect(await unreadOf(tab)).toBe(1)
  await tab.markRead(conversation)
  await tab.markUnread(conversation, 1)
  await kit.advance(3_000)
  const fresh = kit.client('ben')
  await kit.wait(fresh.connected())
  await kit.advance(1_000)
  expect([await unreadOf(ben), await unreadOf(fresh)]).toEqual([1, 1])
  expect((await ann.conversations())[0]!.marks).toEqual([['ben', 1, 1]])
  await kit.friendships.block('ann', conversation)
  await kit.advance(3_000)
  expect([ann.presence('ben'), ben.presence('ann'), tab.presence('ann')]).toEqual([false, false, false])
  await kit.close()
})

it('says what is wrong with its use', async () => {
  const kit = new ChatKit(WsRequest)
  const other = new ChatKit(WsRequest)
  const client = kit.client('ann')
  expect(() => other.offline(client)).toThrow(expect.objectContaining({ code: 'bad_option' }))
  kit.stop()
  expect(() => kit.server).toThrow(expect.objectContaining({ code: 'bad_state' }))
  await Promise.all([kit.close(), other.close()])
})
