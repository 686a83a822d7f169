import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Attacker, HostileWorld, type Reaction } from './world.js'

let world: HostileWorld
beforeAll(async () => {
  world = await HostileWorld.start()
})
afterAll(() => world.close())

interface Case {
  name: string
  reaction: Reaction
  /** The envelope, made for an attacker who was welcomed. */
  envelope: (attacker: Attacker) => object
}

const good = { cid: 'c', type: 'text', content: 'x' }
const send = (name: string, reaction: Reaction, item: object): Case => ({
  name,
  reaction,
  envelope: ({ conversation }) => ({ t: 'send', n: 1, conversation, items: [item] }),
})
const plain = (name: string, reaction: Reaction, envelope: object): Case => ({
  name,
  reaction,
  envelope: () => envelope,
})
const without = (field: string) => Object.fromEntries(Object.entries(good).filter(([name]) => name !== field))

const CASES: Case[] = [
  plain('E1 no type', 'E:bad_frame', { n: 1 }),
  ...[1, [], {}].map((t) => plain(`E2 type ${JSON.stringify(t)}`, 'E:bad_frame', { t, n: 1 })),
  plain('E3 unknown type', 'E:unknown_type', { t: 'dance', n: 1 }),
  plain('E5 ack from a client', 'C:4500', { t: 'ack', re: 1 }),
  plain('E5 welcome from a client', 'C:4500', { t: 'welcome' }),
  plain('E7 second hello', 'C:4500', { t: 'hello', device: 'D'.repeat(22), attempt: 2 }),
  send('E10 no cid', 'N:bad_field', without('cid')),
  ...['', 'x'.repeat(65), '😀', '../'].map((cid) =>
    send(`E10 cid ${cid.slice(0, 5)}`, 'N:bad_field', { ...good, cid }),
  ),
  send('E11 cid with a newline', 'N:bad_field', { ...good, cid: 'a\n' }),
  plain('E12 conversation an operator', 'E:bad_field', { t: 'send', n: 1, conversation: { $ne: null }, items: [good] }),
  ...[1, null, [], {}].map((content) =>
    send(`E14 content ${JSON.stringify(content)}`, 'N:bad_field', { ...good, content }),
  ),
  send('E15 empty content', 'N:bad_field', { ...good, content: '' }),
  send('E16 content of 16 KiB and one byte', 'N:too_large', { ...good, content: 'x'.repeat(16_385) }),
  send('E17 16 KiB of emoji', 'OK', { ...good, content: '😀'.repeat(4_096) }),
  ...['https://evil.com/a.png', '//evil.com/a.png', 'javascript:alert(1)', 'data:text/html,x'].map((content) =>
    send(`E19 file at ${content}`, 'N:bad_field', { ...good, type: 'file', content }),
  ),
  plain('E20 no items', 'E:bad_field', { t: 'send', n: 1, conversation: 'c', items: [] }),
  plain('E20 33 items', 'E:bad_field', { t: 'send', n: 1, conversation: 'c', items: new Array(33).fill(good) }),
  send('E23 unknown fields', 'OK', { ...good, colour: 'red', size: { a: 1 } }),
  send('A1 from of another', 'N:bad_field', { ...good, from: 'ann' }),
  { ...send('A2 of strangers', 'N:not_found', good), envelope: ({ foreign }) => sendTo(foreign) },
  { ...send('A2 of nobody', 'N:not_found', good), envelope: () => sendTo('no-such-conversation') },
  {
    name: 'A9 cursor in a foreign conversation',
    reaction: 'E:not_found',
    envelope: ({ foreign }) => ({ t: 'cursor', conversation: foreign, read: 0 }),
  },
  {
    name: 'A10 typing into a foreign conversation',
    reaction: 'IGN',
    envelope: ({ foreign }) => ({ t: 'signal', conversation: foreign, kind: 'typing', value: true }),
  },
  {
    name: 'A11 presence into a foreign conversation',
    reaction: 'IGN',
    envelope: ({ foreign }) => ({ t: 'signal', conversation: foreign, kind: 'presence', value: true }),
  },
  {
    name: 'A9 sync of a foreign conversation',
    reaction: 'N:not_found',
    envelope: ({ foreign }) => ({ t: 'sync', n: 1, conversation: foreign, after: 0, limit: 10 }),
  },
  {
    name: 'Q7 read beyond the head',
    reaction: 'E:cursor_invalid',
    envelope: ({ conversation }) => ({ t: 'cursor', conversation, read: 5 }),
  },
  ...[-1, 1.5, '1'].map((read) => plain(`Q8 cursor ${read}`, 'E:bad_field', { t: 'cursor', conversation: 'c', read })),
  ...[-1, 2 ** 53, '1'].map((after) =>
    plain(`Q11 sync after ${after}`, 'E:bad_field', { t: 'sync', n: 1, conversation: 'c', after, limit: 1 }),
  ),
  ...[0, -1].map((limit) =>
    plain(`Q12 limit ${limit}`, 'E:bad_field', { t: 'sync', n: 1, conversation: 'c', after: 0, limit }),
  ),
  send('X11 an operator as text', 'OK', { ...good, content: '{"$where":"1"}' }),
  send('X12 emoji of several code points', 'OK', { ...good, content: '👨‍👩‍👧‍👦 🏳️‍🌈 é e\u0301' }),
  send('J21 NUL in content', 'OK', { ...good, content: 'a\u0000b' }),
]

function sendTo(conversation: string): object {
  return { t: 'send', n: 1, conversation, items: [good] }
}

describe('hostile envelopes', () => {
  it.each(CASES)('$name → $reaction', async ({ reaction, envelope }) => {
    await world.judge(reaction, (attacker) => attacker.raw.send(envelope(attacker)))
  })

  it('E6 any frame before hello → C:4500', async () => {
    for (const envelope of [sendTo('c'), { t: 'ping', n: 1 }, { t: 'sync', n: 1, conversation: 'c', after: 0 }]) {
      const { raw } = await world.attacker(false)
      raw.send(envelope)
      expect(await raw.closed()).toBe(4500)
    }
  })

  it('E8 a hello that is not valid → C:4500', async () => {
    for (const hello of [{}, { device: 'D'.repeat(10_000), attempt: 1 }, { device: 'D'.repeat(22) }]) {
      const { raw } = await world.attacker(false)
      raw.send({ t: 'hello', ...hello })
      expect(await raw.closed()).toBe(4500)
    }
  })

  it('E21 one cid twice in a batch: one seq for equal content, a conflict for other', async () => {
    const { raw, conversation } = await world.attacker()
    raw.send({ t: 'send', n: 1, conversation, items: [good, good] })
    const ack = await raw.frame((envelope) => envelope.re === 1)
    expect(ack.items).toMatchObject([
      { cid: 'c', seq: 1 },
      { cid: 'c', seq: 1, duplicate: true },
    ])
    raw.send({ t: 'send', n: 2, conversation, items: [{ ...good, content: 'other' }] })
    expect(await raw.frame((envelope) => envelope.re === 2)).toMatchObject({ refused: { code: 'cid_conflict' } })
    raw.destroy()
  })

  it('Q10 sync beyond the head → reset for that conversation', async () => {
    const { raw, conversation } = await world.attacker()
    raw.send({ t: 'sync', n: 1, conversation, after: 7, limit: 10 })
    expect(await raw.frame((envelope) => envelope.re === 1)).toMatchObject({ t: 'page', reset: { to: 0, id: '' } })
    raw.destroy()
  })

  it('A16 cursors of foreign conversations in hello bring only own heads', async () => {
    const { raw, foreign, conversation } = await world.attacker(false)
    raw.send({ t: 'hello', device: 'D'.repeat(22), attempt: 1, cursors: [[foreign, 0, '']] })
    const welcome = await raw.frame((envelope) => envelope.t === 'welcome')
    expect((welcome.heads as unknown[][]).map(([id]) => id)).toEqual([conversation])
    raw.destroy()
  })

  it('A20 50 sockets of one user → 4510 from the 21st', async () => {
    const user = 'many'
    const sockets = await Promise.all(Array.from({ length: 50 }, () => world.raw(user)))
    const closed = await Promise.all(sockets.slice(20).map((raw) => raw.closed()))
    expect(new Set(closed)).toEqual(new Set([4510]))
    for (const raw of sockets) raw.destroy()
  })

  it('Q1 the same send on ten sockets at once: one row, one seq', async () => {
    const { raw, user, conversation } = await world.attacker()
    const devices = await Promise.all(
      Array.from({ length: 10 }, (_, index) => world.greeted(user, `${index}`.repeat(22).slice(0, 22))),
    )
    for (const device of devices) device.send({ t: 'send', n: 1, conversation, items: [good] })
    const acks = await Promise.all(devices.map((device) => device.frame((envelope) => envelope.re === 1)))
    expect(new Set(acks.map((ack) => JSON.stringify((ack.items as { seq: number; id: string }[])[0]?.id))).size).toBe(1)
    const { head } = await world.chat.history(user, conversation, { after: 0, limit: 10 })
    expect(head).toBe(1)
    for (const device of [raw, ...devices]) device.destroy()
  })

  it('Q16 a second send in flight for one conversation → N:busy', async () => {
    const { raw, conversation } = await world.attacker()
    let open = () => {}
    world.store.gate = new Promise((resolve) => {
      open = resolve
    })
    for (let n = 1; n <= 2; n++) raw.send({ t: 'send', n, conversation, items: [{ ...good, cid: `c${n}` }] })
    expect(await raw.frame((envelope) => envelope.re === 2)).toMatchObject({ refused: { code: 'busy', retry: true } })
    world.store.gate = undefined
    open()
    expect(await raw.frame((envelope) => envelope.re === 1)).toMatchObject({ items: [{ cid: 'c1', seq: 1 }] })
    raw.destroy()
  })

  it('A15 the same device twice: the lower attempt goes', async () => {
    const { raw, user } = await world.attacker()
    const later = await world.greeted(user, 'D'.repeat(22), 5)
    expect(await raw.closed()).toBe(4009)
    const earlier = await world.raw(user)
    earlier.send({ t: 'hello', device: 'D'.repeat(22), attempt: 4 })
    expect(await earlier.closed()).toBe(4009)
    later.destroy()
  })
})
