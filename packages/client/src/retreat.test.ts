import { expect, it } from 'vitest'
import { restored, serve } from './testing/log.js'
import { entries, head, Script } from './testing/script.js'

/** A client that has entries 1 … 5 and meets a log in which 4 and 5 are others. */
async function diverged() {
  const script = new Script()
  const client = script.client()
  const told: string[] = []
  client.on('reset', (reset) => told.push(`reset to ${reset.to}`))
  client.onMessage((message) => void told.push(message.content))
  const first = await script.online([head(0)])
  first.send({ t: 'messages', conversation: 'c', items: entries(1, 5) })
  await script.clock.advance(0)
  told.length = 0
  first.socket.close(1006)
  const log = restored(3, 7)
  const second = await script.online([head(5, { tail: log[4]!.id.slice(-8) })], 1)
  const { n } = await second.next('sync')
  return { script, told, log, second, n }
}

it('searches again on the same socket when the server could not answer', async () => {
  const { script, told, log, second, n } = await diverged()
  second.send({ t: 'page', re: n, conversation: 'c', refused: { code: 'store_unavailable', retry: true } })
  await script.clock.advance(0)
  // 4 and 5 are known by their seqs only; as they are pushed now they are others.
  second.send({ t: 'messages', conversation: 'c', items: log.slice(3, 7) })
  await script.clock.advance(0)
  expect(told).toEqual([])
  const again = await second.next('sync')
  expect(again.tail).toMatch(/^.{8}$/)
  second.send({ t: 'page', re: again.n, conversation: 'c', refused: { code: 'busy', retry: true } })
  await script.clock.advance(10_000)
  // The third try is already asked; `serve` answers whatever is open from here on.
  await serve(second, log, 60_000)
  expect(told).toEqual(['reset to 3', ...log.slice(3).map(({ content }) => content)])
})

it('leaves nobody blocked when the socket ends while it waits for the next try', async () => {
  const { script, told, log, second, n } = await diverged()
  second.send({ t: 'page', re: n, conversation: 'c', refused: { code: 'store_unavailable', retry: true } })
  await script.clock.advance(0)
  second.socket.close(1006)
  const third = await script.online([head(7, { tail: log[6]!.id.slice(-8) })], 2)
  third.send({ t: 'page', conversation: 'c', reset: { to: 5, id: log[4]!.id } })
  await serve(third, log, 10_000)
  expect(told).toEqual(['reset to 3', ...log.slice(3).map(({ content }) => content)])
})
