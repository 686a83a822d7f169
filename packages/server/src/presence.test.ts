import { expect, it } from 'vitest'
import type { CoreOptions } from './core.js'
import { deviceOf, type TestClient, TestServer } from './testing/core-kit.js'
import { twoNodes } from './testing/two-nodes.js'

/** Who is there, as a device was told: the last word of each. */
const seen = (client: TestClient) =>
  Object.fromEntries(
    client.of('signal').map(({ user, value, kind }) => [`${kind === 'presence' ? '' : kind}${user}`, value]),
  )

const words = (client: TestClient) => client.of('signal').map(({ user, value }) => `${user} ${value}`)

function server(options: Partial<CoreOptions> = {}) {
  const made = new TestServer(options)
  made.friends.table.set('c2', ['ann', 'cleo'])
  return made
}

it('tells friends who comes, whoever comes who is there already, and nobody else', async () => {
  const chat = server()
  const ann = await chat.enter('ann')
  const ben = await chat.enter('ben')
  const dan = await chat.enter('dan')
  await chat.clock.advance(10)
  expect([seen(ann), seen(ben), seen(dan)]).toEqual([{ ben: true }, { ann: true }, {}])
  const cleo = await chat.enter('cleo')
  await chat.clock.advance(10)
  expect([words(ann), words(ben), words(cleo)]).toEqual([['ben true', 'cleo true'], ['ann true'], ['ann true']])
})

it('a user is there while one socket lives, and for a moment longer', async () => {
  const chat = server()
  const ann = await chat.enter('ann')
  const ben = await chat.enter('ben')
  const phone = await chat.enter('ben', { device: deviceOf('phone') })
  ben.socket.close()
  await chat.clock.advance(60_000)
  expect(words(ann)).toEqual(['ben true'])
  phone.socket.close()
  await chat.clock.advance(4_000)
  const again = await chat.enter('ben', { attempt: 2 })
  await chat.clock.advance(60_000)
  expect(words(ann)).toEqual(['ben true'])
  again.socket.close()
  await chat.clock.advance(6_000)
  expect(words(ann)).toEqual(['ben true', 'ben false'])
  ann.socket.close()
  await chat.clock.advance(60_000)
  expect(chat.core.sizes.presence).toBe(0)
  expect(chat.empty).toBe(true)
})

it('a block hides both from each other at once, and an unblock shows them', async () => {
  const chat = server()
  const ann = await chat.enter('ann')
  const ben = await chat.enter('ben')
  await chat.clock.advance(10)
  chat.friends.blocked.add('c1')
  await chat.core.membershipChanged('c1', ['ann', 'ben'])
  await chat.clock.advance(2_000)
  expect([seen(ann), seen(ben)]).toEqual([{ ben: false }, { ann: false }])
  const before = [ann, ben].map((client) => client.of('signal').length)
  ben.send({ t: 'signal', conversation: 'c1', kind: 'typing', value: true })
  const phone = await chat.enter('ben', { device: deviceOf('phone') })
  ben.socket.close()
  phone.socket.close()
  await chat.clock.advance(10_000)
  const back = await chat.enter('ben')
  await chat.clock.advance(1_000)
  expect([ann, back].map((client) => client.of('signal').length)).toEqual([before[0], 0])
  chat.friends.blocked.delete('c1')
  await chat.core.membershipChanged('c1', ['ann', 'ben'])
  await chat.clock.advance(2_000)
  expect([seen(ann), seen(back)]).toEqual([{ ben: true }, { ann: true }])
})

it('who hides is not seen and sees nobody, from the moment of the change on', async () => {
  const hidden = new Set(['ben'])
  const chat = server({ privacy: { presence: async (user) => !hidden.has(user) } })
  const ann = await chat.enter('ann')
  const ben = await chat.enter('ben')
  const cleo = await chat.enter('cleo')
  await chat.clock.advance(100)
  expect([seen(ann), seen(ben), seen(cleo)]).toEqual([{ cleo: true }, {}, { ann: true }])
  hidden.clear()
  await chat.core.privacyChanged('ben')
  await chat.clock.advance(10)
  expect([seen(ann), seen(ben)]).toEqual([{ ben: true, cleo: true }, { ann: true }])
  hidden.add('ben')
  await chat.core.privacyChanged('ben')
  await chat.clock.advance(10)
  expect([seen(ann), seen(ben)]).toEqual([{ ben: false, cleo: true }, { ann: false }])
  ann.socket.close()
  await chat.clock.advance(10_000)
  await chat.enter('ann', { attempt: 2 })
  await chat.clock.advance(10)
  expect(words(ben)).toEqual(['ann true', 'ann false'])
})

it('who hid while being there goes unnoticed', async () => {
  const hidden = new Set<string>()
  const chat = server({ privacy: { presence: async (user) => !hidden.has(user) } })
  const ann = await chat.enter('ann')
  const [ben, cleo] = [await chat.enter('ben'), await chat.enter('cleo')]
  await chat.clock.advance(10)
  for (const again of [false, true, false]) {
    if (again) hidden.delete('ben')
    else hidden.add('ben')
    await chat.core.privacyChanged('ben')
    await chat.clock.advance(10)
  }
  ben.socket.close()
  cleo.socket.close()
  await chat.clock.advance(10_000)
  expect(words(ann)).toEqual(['ben true', 'cleo true', 'ben false', 'ben true', 'ben false', 'cleo false'])
})

it('a function of the app that fails hides, and is written down', async () => {
  const chat = server({
    privacy: {
      presence: () => {
        throw new Error('down')
      },
    },
  })
  const ann = await chat.enter('ann')
  await chat.enter('ben')
  await chat.clock.advance(100)
  expect(ann.of('signal')).toEqual([])
  expect(chat.lines.map(({ event }) => event)).toContain('privacy_failed')
})

it('who hides what they have read does not see what others have', async () => {
  const hidden = new Set(['ben'])
  const chat = server({ privacy: { readMarks: (user) => !hidden.has(user) } })
  const ann = await chat.enter('ann')
  const ben = await chat.enter('ben')
  const phone = await chat.enter('ben', { device: deviceOf('phone') })
  ann.sendItems('c1', 'm1', 'm2')
  ben.sendItems('c1', 'm3')
  await ann.next('ack')
  await ben.next('ack')
  ben.send({ t: 'cursor', conversation: 'c1', delivered: 3, read: 2 })
  ann.send({ t: 'cursor', conversation: 'c1', delivered: 3, read: 3 })
  await chat.clock.advance(100)
  const told = (client: TestClient, user: string) =>
    client.of('cursor').flatMap((frame) => (frame.user === user ? [[frame.delivered, frame.read]] : []))
  expect([told(ann, 'ben'), told(ben, 'ann')]).toEqual([[[3, 0]], [[3, 0]]])
  expect(told(phone, 'ben').at(-1)).toEqual([3, 2])
  const marks = async (user: string) =>
    (await chat.enter(user, { device: deviceOf(`${user}2`) })).of('welcome')[0]!.heads[0]
  expect([(await marks('ann'))![6], (await marks('ben'))![6]]).toEqual([[['ben', 3, 0]], [['ann', 3, 0]]])
  expect((await marks('ben'))!.slice(4, 6)).toEqual([3, 2])
  hidden.clear()
  await chat.core.privacyChanged('ben')
  expect([(await marks('ann'))![6], (await marks('ben'))![6]]).toEqual([[['ben', 3, 2]], [['ann', 3, 3]]])
})

it('is told across servers, without a flicker when a user moves from one to the other', async () => {
  const { one, other, clock } = twoNodes()
  const ann = await one.enter('ann')
  const ben = await other.enter('ben')
  await clock.advance(100)
  expect([seen(ann), seen(ben)]).toEqual([{ ben: true }, { ann: true }])
  ben.socket.close()
  const moved = await one.enter('ben', { attempt: 2 })
  await clock.advance(60_000)
  expect(new Set(words(ann))).toEqual(new Set(['ben true']))
  const phone = await other.enter('ben', { device: deviceOf('phone') })
  moved.socket.close()
  await clock.advance(60_000)
  expect(new Set(words(ann))).toEqual(new Set(['ben true']))
  phone.socket.close()
  await clock.advance(10_000)
  expect(seen(ann)).toEqual({ ben: false })
  ann.socket.close()
  await clock.advance(60_000)
  expect([one.core.sizes.presence, other.core.sizes.presence]).toEqual([0, 0])
})

it('a block is told to the devices at other servers, too', async () => {
  const { one, other, clock, friends } = twoNodes()
  const ann = await one.enter('ann')
  const ben = await other.enter('ben')
  await clock.advance(100)
  friends.blocked.add('c1')
  await one.core.membershipChanged('c1', ['ann', 'ben'])
  await clock.advance(2_000)
  expect([seen(ann), seen(ben)]).toEqual([{ ben: false }, { ann: false }])
  friends.blocked.delete('c1')
  await other.core.membershipChanged('c1', ['ann', 'ben'])
  await clock.advance(3_000)
  expect([seen(ann), seen(ben)]).toEqual([{ ben: true }, { ann: true }])
})
