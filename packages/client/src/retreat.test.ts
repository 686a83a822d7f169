import { KithwireError } from '@kithwire/protocol'
import { FakeClock } from '@kithwire/protocol/testing'
import { expect, it, vi } from 'vitest'
import { MemoryClientStore } from './index.js'
import type { Link } from './link.js'
import { Retreat } from './retreat.js'
import { Serial } from './serial.js'
import { restored, serve } from './testing/log.js'
import { entries, entry, head, Script } from './testing/script.js'
import { type InboxHooks, newView } from './view.js'

/** A client that has entries 1 … 5 and meets a log in which 4 and 5 are others. */
async function diverged() {
  const script = new Script()
  const store = new MemoryClientStore()
  const client = script.client({ store })
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
  return { script, store, client, told, log, second, n }
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

it.each(['while it waits for the next try', 'before the store has answered'])(
  'delivers again what it could not take back when the socket ends %s',
  async (when) => {
    const { script, store, client, told, log, second } = await diverged()
    const reset = vi.spyOn(store, 'reset').mockImplementation(async () => {
      if (when.startsWith('before')) {
        second.socket.close(1006)
        await script.clock.advance(5)
      }
      throw new Error('disk')
    })
    client.on('error', () => second.socket.close(1006))
    await serve(second, log, 100)
    expect(reset).toHaveBeenCalledOnce()
    // The app was told that they go; they are still there.
    expect(told).toEqual(['reset to 3', '4', '5'])
    // The operator has put the former log back.
    const third = await script.online([head(5)], 2)
    third.send({ t: 'messages', conversation: 'c', items: [entry(6)] })
    await script.clock.advance(10_000)
    expect(told).toEqual(['reset to 3', '4', '5', '6'])
  },
)

it('ends its wait with the socket: a later try could let listeners go in the middle of the next reset', async () => {
  const clock = new FakeClock()
  const store = new MemoryClientStore()
  await store.meet([head(3)])
  const syncs = { ask: vi.fn().mockRejectedValue(new KithwireError('store_unavailable')) }
  const hooks = { store, runtime: clock, serial: new Serial(), syncs, resetDone: vi.fn(), error: vi.fn() }
  const retreat = new Retreat(hooks as unknown as InboxHooks, () => true, vi.fn())
  const view = newView(head(3), 3, true)
  retreat.start({} as Link, 'c', view)
  await clock.settle()
  expect([hooks.error.mock.calls.length, clock.pending]).toEqual([1, 1])
  retreat.stop('c', view)
  retreat.stop('c', view)
  expect(hooks.resetDone).toHaveBeenCalledExactlyOnceWith('c')
  await clock.advance(60_000)
  expect(syncs.ask).toHaveBeenCalledOnce()
})
