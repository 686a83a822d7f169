import { expect, it } from 'vitest'
import { restored, serve } from './testing/log.js'
import { entries, entry, entryId, head, Script } from './testing/script.js'

it('sends nothing into a log that may be another one, before its own lost entries are back in the outbox', async () => {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(2)])
  void client.send({ conversation: 'c', content: 'lost by the restore' })
  peer.ack(await peer.next('send'), 3)
  await script.clock.advance(0)
  peer.socket.close(1006)
  void client.send({ conversation: 'c', content: 'newer' })
  // Only the server's answer tells that what it has at 3 is not ours: its head is beyond.
  const log = restored(2, 5)
  const second = await script.online([head(5, { tail: log[4]!.id.slice(-8) })], 1)
  await serve(second, log)
  expect(second.of('send')[0]!.items.map((item) => item.content)).toEqual(['lost by the restore', 'newer'])
})

it('sends on when the server refuses to be asked: it will refuse the send, too', async () => {
  const script = new Script()
  const client = script.client()
  const first = await script.online([head(0)])
  first.socket.close(1006)
  const sent = client.send({ conversation: 'c', content: 'x' })
  const second = await script.online([head(3)], 1)
  const sync = await second.next('sync')
  second.send({ t: 'page', re: sync.n, conversation: 'c', refused: { code: 'not_found', retry: false } })
  const frame = await second.next('send')
  const { cid } = frame.items[0]!
  second.send({
    t: 'ack',
    re: frame.n,
    conversation: 'c',
    items: [],
    refused: { cid, code: 'not_found', retry: false },
  })
  await script.clock.advance(0)
  await expect(sent).rejects.toMatchObject({ code: 'not_found' })
})

it('sends at once where the heads agree', async () => {
  const script = new Script()
  const client = script.client()
  const first = await script.online([head(0)])
  first.send({ t: 'messages', conversation: 'c', items: entries(1, 2) })
  await script.clock.advance(0)
  first.socket.close(1006)
  const sent = client.send({ conversation: 'c', content: 'x' })
  const second = await script.online([head(2)], 1)
  second.ack(await second.next('send', 0), 3)
  await script.clock.advance(0)
  expect(await sent).toMatchObject({ id: entryId(3) })
})

it('takes an answer that it cannot read for a refusal, and does not wait for another', async () => {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(3)])
  const page = client.history('c')
  page.catch(() => {})
  const sync = await peer.next('sync')
  peer.send({
    t: 'page',
    re: sync.n,
    conversation: 'c',
    items: [entry(1, { cid: 'a b' })],
    head: 3,
    first: 1,
    more: false,
  })
  await script.clock.advance(0)
  await expect(page).rejects.toMatchObject({ code: 'bad_frame' })
})
