import type { HeadTuple } from '@kithwire/protocol'
import { expect, it } from 'vitest'
import { restored, serve } from './testing/log.js'
import { entries, head, Script, tail } from './testing/script.js'

async function online() {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(0)])
  return { script, client, peer }
}

it('sends a cursor again that the server could not take', async () => {
  const { script, client, peer } = await online()
  client.onMessage(() => {})
  peer.send({ t: 'messages', conversation: 'c', items: entries(1, 2) })
  expect(await peer.next('cursor')).toMatchObject({ conversation: 'c', delivered: 2 })
  peer.send({ t: 'error', code: 'store_unavailable', message: '', fatal: false })
  await script.clock.advance(3_000)
  expect(peer.of('cursor')).toHaveLength(1)
  expect(await peer.next('cursor', 2_000)).toMatchObject({ conversation: 'c', delivered: 2 })
  await script.clock.advance(20_000)
  expect(peer.of('cursor')).toHaveLength(2)
})

it('does not send it again after an error that would come again', async () => {
  const { script, peer } = await online()
  peer.send({ t: 'messages', conversation: 'c', items: entries(1, 2) })
  await peer.next('cursor')
  peer.send({ t: 'error', code: 'not_found', message: '', fatal: false })
  await script.clock.advance(20_000)
  expect(peer.of('cursor')).toHaveLength(1)
})

it('sends again only what it had sent on this socket', async () => {
  const script = new Script()
  script.client()
  const known: HeadTuple = ['known', 3, 1, 0, 3, 0, [['ben', 0, 0]], tail(3)]
  const peer = await script.online([head(0), known])
  peer.send({ t: 'messages', conversation: 'c', items: entries(1, 2) })
  await peer.next('cursor')
  peer.send({ t: 'error', code: 'store_unavailable', message: '', fatal: false })
  await script.clock.advance(20_000)
  expect(peer.of('cursor').map(({ conversation }) => conversation)).toEqual(['c', 'c'])
})

it('tells how far it has got over a gap that retention made', async () => {
  const { peer } = await online()
  peer.send({ t: 'behind', heads: [head(3, { first: 4 })] })
  const { n } = await peer.next('sync')
  peer.send({ t: 'page', re: n, conversation: 'c', items: [], head: 3, first: 4, more: false })
  expect(await peer.next('cursor')).toMatchObject({ conversation: 'c', delivered: 3 })
})

it('tells again how far it has got in a log that went back', async () => {
  const { script, peer } = await online()
  peer.send({ t: 'messages', conversation: 'c', items: entries(1, 5) })
  expect(await peer.next('cursor')).toMatchObject({ delivered: 5 })
  const log = restored(3, 5)
  peer.send({ t: 'error', code: 'cursor_invalid', message: '', fatal: false })
  peer.send({ t: 'page', conversation: 'c', reset: { to: 4, id: log[3]!.id } })
  await serve(peer, log, 10_000)
  await script.clock.advance(5_000)
  expect(peer.of('cursor').at(-1)).toMatchObject({ delivered: 5 })
  expect(peer.of('cursor').length).toBeGreaterThan(1)
})
