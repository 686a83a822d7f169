import { DEFAULT_LIMITS } from '@kithwire/protocol'
import { expect, it, vi } from 'vitest'
import { MemoryClientStore } from './index.js'
import { entry, entryId, head, Script } from './testing/script.js'

type Client = ReturnType<Script['client']>

/** Sends and takes note of what became of it. */
function send(client: Client, content: string, conversation = 'c') {
  const outcome = { seq: 0, code: '' }
  client.send({ conversation, content }).then(
    (sent) => {
      outcome.seq = sent.seq
    },
    (error) => {
      outcome.code = error.code
    },
  )
  return outcome
}

it('has one send per conversation in flight, and conversations side by side', async () => {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(0), head(0, { conversation: 'd' })])
  const outcomes = [send(client, 'a'), send(client, 'b'), send(client, 'x', 'd')]
  await script.clock.advance(0)
  const [first, other] = peer.of('send')
  expect(peer.of('send')).toHaveLength(2)
  expect(other).toMatchObject({ conversation: 'd' })
  peer.ack(first!, 1)
  await script.clock.advance(0)
  expect(peer.of('send')[2]).toMatchObject({ conversation: 'c', items: [{ content: 'b' }] })
  peer.ack(peer.of('send')[2]!, 2)
  peer.ack(other!, 1)
  await script.clock.advance(0)
  expect(outcomes.map((outcome) => outcome.seq)).toEqual([1, 2, 1])
})

it('puts at most 32 items and the limit of a frame into one send', async () => {
  const script = new Script()
  const client = script.client()
  for (let index = 0; index < 40; index++) send(client, `${index}`)
  for (let index = 0; index < 8; index++) send(client, 'x'.repeat(16_000), 'big')
  const peer = await script.online([head(0), head(0, { conversation: 'big' })])
  const sizes = peer.of('send').map((frame) => [frame.conversation, frame.items.length])
  expect(sizes).toEqual([
    ['c', 32],
    ['big', 4],
  ])
  for (const text of peer.client.sent) expect(text.length).toBeLessThanOrEqual(DEFAULT_LIMITS.frame)
})

it('keeps to limits.inflight over all conversations', async () => {
  const script = new Script()
  const client = script.client()
  for (const conversation of ['a', 'b', 'c']) for (let index = 0; index < 30; index++) send(client, 'x', conversation)
  const heads = ['a', 'b', 'c'].map((conversation) => head(0, { conversation }))
  const peer = await script.online(heads, 0, { limits: { ...DEFAULT_LIMITS, inflight: 40 } })
  await script.clock.advance(0)
  expect(peer.of('send').map((frame) => frame.items.length)).toEqual([30, 10])
  peer.ack(peer.of('send')[0]!, 1)
  await script.clock.advance(0)
  expect(peer.of('send').map((frame) => frame.items.length)).toEqual([30, 10, 30])
})

it('sends the same items under the same cids after a lost connection', async () => {
  const script = new Script()
  const client = script.client()
  const first = await script.online([head(0)])
  const outcome = send(client, 'once')
  const { items } = await first.next('send')
  first.socket.close(1006)
  const second = await script.online([head(1)], 1)
  // Not before it is known that the server's log continues ours.
  const sync = await second.next('sync')
  expect(second.of('send')).toEqual([])
  const stored = entry(1, { from: 'ann', cid: 'other-device' })
  second.send({ t: 'page', re: sync.n, conversation: 'c', items: [stored], head: 1, first: 1, more: false })
  const again = await second.next('send')
  expect(again.items).toEqual(items)
  const item = { cid: items[0]!.cid, seq: 2, id: entryId(2), at: 1, duplicate: true }
  second.send({ t: 'ack', re: again.n, conversation: 'c', items: [item] })
  await script.clock.advance(0)
  expect(outcome.seq).toBe(2)
  await script.clock.advance(5_000)
  expect(second.of('send')).toHaveLength(1)
})

it('tries a refused item again after the time that the server names', async () => {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(0), head(0, { conversation: 'd' })])
  const outcome = send(client, 'a')
  send(client, 'b')
  const frame = await peer.next('send')
  const { cid } = frame.items[0]!
  peer.send({
    t: 'ack',
    re: frame.n,
    conversation: 'c',
    items: [],
    refused: { cid, code: 'rate_limited', retry: true, after: 700 },
  })
  await script.clock.advance(0)
  send(client, 'other', 'd')
  await script.clock.advance(699)
  expect(peer.of('send')).toHaveLength(1)
  await script.clock.advance(1)
  const [, again] = peer.of('send')
  expect(again!.items.map((item) => item.content)).toEqual(['a', 'b'])
  peer.ack(again!, 1)
  await script.clock.advance(0)
  expect(outcome.seq).toBe(1)
})

it('sets an item aside that was refused for good, and goes on behind it', async () => {
  const script = new Script()
  const client = script.client()
  const failed = vi.fn()
  client.on('failed', failed)
  const outcomes = ['a', 'b', 'c'].map((content) => send(client, content))
  const peer = await script.online([head(0)])
  const frame = await peer.next('send')
  const [a, b] = frame.items
  peer.send({
    t: 'ack',
    re: frame.n,
    conversation: 'c',
    items: [{ cid: a!.cid, seq: 1, id: entryId(1), at: 1 }],
    refused: { cid: b!.cid, code: 'cid_conflict', retry: false },
  })
  peer.ack(await peer.next('send'), 2)
  await script.clock.advance(0)
  expect(outcomes).toMatchObject([{ seq: 1 }, { code: 'cid_conflict' }, { seq: 2 }])
  expect(failed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ cid: b!.cid }))
  expect(await client.failed()).toMatchObject([{ content: 'b', failed: 'cid_conflict' }])
  await client.discard('c', b!.cid)
  expect(await client.failed()).toEqual([])
})

it('takes an entry that arrives under the cid of a failed item as sent', async () => {
  const script = new Script()
  const client = script.client()
  const sent = vi.fn()
  client.on('sent', sent)
  const peer = await script.online([head(0)])
  send(client, 'a')
  const frame = await peer.next('send')
  const { cid } = frame.items[0]!
  peer.send({ t: 'ack', re: frame.n, conversation: 'c', items: [], refused: { cid, code: 'blocked', retry: false } })
  await script.clock.advance(0)
  expect(await client.failed()).toHaveLength(1)
  peer.send({ t: 'messages', conversation: 'c', items: [entry(1, { from: 'ann', cid })] })
  await script.clock.advance(0)
  expect(await client.failed()).toEqual([])
  expect(sent).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ cid, seq: 1 }))
})

it('settles an ack above a hole: not sent again on this socket, sent again on the next', async () => {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(0)])
  const outcome = send(client, 'mine')
  const frame = await peer.next('send')
  peer.ack(frame, 3)
  await script.clock.advance(0)
  expect(outcome.seq).toBe(3)
  const next = send(client, 'next')
  const second = await peer.next('send')
  expect(second.items).toMatchObject([{ content: 'next' }])
  peer.ack(second, 4)
  await script.clock.advance(0)
  expect(next.seq).toBe(4)
  peer.socket.close(1006)
  const other = await script.online([head(4)], 1)
  const sync = await other.next('sync')
  other.send({ t: 'page', re: sync.n, conversation: 'c', items: [entry(1)], head: 4, first: 1, more: true })
  expect((await other.next('send')).items.map((item) => item.content)).toEqual(['mine', 'next'])
})

it('settles an ack at or below what is applied', async () => {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(4)])
  const outcome = send(client, 'old')
  peer.ack(await peer.next('send'), 2)
  await script.clock.advance(0)
  expect(outcome.seq).toBe(2)
  peer.socket.close(1006)
  const other = await script.online([head(4)], 1)
  await script.clock.advance(5_000)
  expect(other.of('send')).toEqual([])
})

it.each([1003, 1007, 1008, 1009])('finds the one item that causes a close %i, and blames no other', async (code) => {
  const script = new Script()
  const client = script.client()
  const outcomes = ['good', 'bad', 'fine'].map((content) => send(client, content))
  const other = send(client, 'healthy', 'd')
  let seq = 0
  for (let index = 0; index < 20 && outcomes[2]!.seq === 0; index++) {
    const peer = await script.online([head(seq), head(0, { conversation: 'd' })], index)
    await script.clock.advance(0)
    for (let taken = 0; !peer.socket.closed && taken < peer.of('send').length; taken++) {
      const frame = peer.of('send')[taken]!
      if (index > 0) expect(frame.items).toHaveLength(1)
      if (frame.items.some((item) => item.content === 'bad')) peer.socket.close(code)
      else peer.ack(frame, frame.conversation === 'c' ? ++seq : 1)
      await script.clock.advance(0)
    }
  }
  expect(outcomes).toMatchObject([{ seq: 1 }, { code: 'unknown_outcome' }, { seq: 2 }])
  expect(other.seq).toBe(1)
})

it('rejects too much content at once, and a full outbox, and drops nothing that is queued', async () => {
  const script = new Script()
  const client = script.client({ outboxItems: 2 })
  await expect(client.send({ conversation: 'c', content: 'x'.repeat(17_000) })).rejects.toMatchObject({
    code: 'too_large',
  })
  await expect(client.send({ conversation: '?', content: 'x' })).rejects.toMatchObject({ code: 'bad_field' })
  const outcomes = [send(client, 'a'), send(client, 'b'), send(client, 'c')]
  await script.clock.advance(0)
  expect(outcomes.map((outcome) => outcome.code)).toEqual(['', '', 'outbox_full'])
  const peer = await script.online([head(0)])
  expect((await peer.next('send')).items.map((item) => item.content)).toEqual(['a', 'b'])
})

it('lets nothing more in behind an item that has waited for 30 days', async () => {
  const script = new Script()
  const store = new MemoryClientStore()
  const client = script.client({ store, autoConnect: false })
  send(client, 'old')
  await script.clock.advance(0)
  script.clock.jump(31 * 86_400_000)
  const late = send(client, 'new')
  await script.clock.advance(0)
  expect(late.code).toBe('outbox_full')
})

it('joins a send with the cid of one that waits, and refuses other content under it', async () => {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(0)])
  const one = client.send({ conversation: 'c', content: 'x', cid: 'mine' })
  const two = client.send({ conversation: 'c', content: 'x', cid: 'mine' })
  const frame = await peer.next('send')
  peer.ack(frame, 1)
  await script.clock.advance(0)
  expect(await one).toEqual(await two)
  expect(await client.send({ conversation: 'c', content: 'x', cid: 'mine' })).toEqual(await one)
  await expect(client.send({ conversation: 'c', content: 'y', cid: 'mine' })).rejects.toMatchObject({
    code: 'cid_conflict',
  })
  expect(peer.of('send')).toHaveLength(1)
})

it('stops waiting when the signal aborts, and sends all the same', async () => {
  const script = new Script()
  const client = script.client()
  const controller = new AbortController()
  const sent = client.send({ conversation: 'c', content: 'x', signal: controller.signal })
  controller.abort()
  await expect(sent).rejects.toMatchObject({ code: 'aborted' })
  const peer = await script.online([head(0)])
  await peer.next('send')
})

it('sends what a durable store kept from an earlier process', async () => {
  const script = new Script()
  const store = new MemoryClientStore()
  const before = script.client({ store, autoConnect: false })
  const outcome = send(before, 'kept')
  await script.clock.advance(0)
  await before.close()
  await script.clock.advance(0)
  expect(outcome.code).toBe('closed')
  script.client({ store })
  const peer = await script.online([head(0)])
  expect((await peer.next('send')).items).toMatchObject([{ content: 'kept' }])
})

it('reads the limits again at each welcome: what fits no frame any more is set aside', async () => {
  const script = new Script()
  const client = script.client()
  const outcome = send(client, 'x'.repeat(3_000))
  const next = send(client, 'small')
  const peer = await script.online([head(0)], 0, { limits: { ...DEFAULT_LIMITS, frame: 2_000 } })
  const frame = await peer.next('send')
  expect(frame.items).toMatchObject([{ content: 'small' }])
  peer.ack(frame, 1)
  await script.clock.advance(0)
  expect(outcome.code).toBe('too_large')
  expect(next.seq).toBe(1)
})
