import { newCid } from '@kithwire/protocol'
import { SeededRandom } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { deviceOf, type TestClient, TestServer } from './testing/core-kit.js'
import { StoreWrap } from './testing/store-wrap.js'

const GARBAGE = [
  '',
  'null',
  '[[[[',
  '{"v":1}',
  '{"v":1,"t":"dance","n":1}',
  '{"v":1,"t":"send","n":1,"conversation":{"$ne":null},"items":[]}',
  '{"v":1,"t":"sync","n":2,"conversation":"c1","after":-1}',
  '{"v":1,"t":"cursor","conversation":"c1","read":99999}',
  '{"v":1,"t":"signal","conversation":"c9","kind":"typing","value":true}',
  '{"v":1,"t":"ping","n":3,"__proto__":{"admin":true}}',
]

/** One run: devices that do whatever they like to a store that fails now and then. */
async function run(seed: number) {
  const random = new SeededRandom(seed)
  const hooks = new StoreWrap()
  const server = new TestServer({ wrap: hooks.wrap, limits: { burst: 200, rate: 200 } })
  const fails = (chance: number) => () => {
    if (random.chance(chance)) throw new Error('the store failed')
    // The append is slow by so much that others come in between.
    return new Promise<void>((resolve) => server.clock.setTimer(resolve, random.integer(0, 50)))
  }
  hooks.before = { append: fails(0.05), heads: fails(0.01), mark: fails(0.05), find: fails(0.05) }
  hooks.after = { append: fails(0.05) }
  server.friends.table.set('c2', ['ann', 'ben', 'cyd'])
  const clients = new Set<TestClient>()
  const acked = new Map<string, string>()
  const attempts = new Map<string, number>()
  const enter = () => {
    const user = random.pick(['ann', 'ben', 'cyd'])
    const device = `${user}${random.integer(0, 1)}`
    const attempt = (attempts.get(device) ?? 0) + random.integer(0, 1)
    attempts.set(device, attempt)
    const client = random.chance(0.2)
      ? server.connectLegacy(user)
      : server.connect(user, {}, { latency: () => random.integer(0, 30) })
    clients.add(client)
    if (client.socket.protocol !== '')
      client.send({ t: 'hello', device: deviceOf(device), attempt, cursors: [['c1', random.integer(0, 9), '']] })
  }
  const act = (client: TestClient) => {
    const conversation = random.pick(['c1', 'c2', 'c9'])
    switch (random.integer(0, 9)) {
      case 0:
        return client.socket.send(random.pick(GARBAGE))
      case 1:
        return client.send({ t: 'sync', n: 0, conversation, after: random.integer(0, 20), limit: 5 })
      case 2:
        return client.send({ t: 'cursor', conversation, delivered: random.integer(0, 20) })
      case 3:
        return client.socket.send(JSON.stringify({ friend: 'c1', to: 'ben', content: 'bare' }))
      case 4:
        client.socket.stalled = !client.socket.stalled
        return
      case 5:
        return random.chance(0.5) ? client.socket.terminate() : client.socket.cut()
      default:
        client.sendItems(conversation, ...Array.from({ length: random.integer(1, 3) }, () => newCid(server.clock)))
    }
  }
  for (let step = 0; step < 80; step++) {
    if (clients.size < 6 && random.chance(0.4)) enter()
    if (clients.size > 0) act(random.pick([...clients]))
    if (random.chance(0.02)) server.friends.blocked.add('c1')
    if (random.chance(0.1) && server.friends.blocked.delete('c1'))
      void server.core.membershipChanged('c1', ['ann', 'ben'])
    await server.clock.advance(random.integer(0, 60))
    for (const client of clients) if (client.closed) clients.delete(client)
    for (const client of clients)
      for (const ack of client.of('ack'))
        for (const { cid, seq, id } of ack.items) acked.set(cid, JSON.stringify([ack.conversation, seq, id]))
  }
  hooks.before = hooks.after = {}
  server.friends.blocked.clear()
  for (const client of clients) client.socket.terminate()
  await server.clock.until(() => server.empty, 600_000)
  return { server, acked }
}

describe('core, whatever happens', () => {
  it.each(Array.from({ length: 60 }, (_, index) => index + 1))('holds its promises (seed %d)', async (seed) => {
    const { server, acked } = await run(seed)
    const found = new Map<string, string>()
    for (const conversation of ['c1', 'c2']) {
      const entries = await server.store.read(conversation, { after: 0, limit: 10_000 })
      expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1))
      for (const { cid, seq, id } of entries) found.set(cid, JSON.stringify([conversation, seq, id]))
    }
    for (const [cid, place] of acked) expect([cid, found.get(cid)]).toEqual([cid, place])
    expect(server.lines.filter(({ event }) => event === 'handler_failed' || event === 'timer_failed')).toEqual([])
  })
})
