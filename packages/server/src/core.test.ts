import { describe, expect, it } from 'vitest'
import { TestServer } from './testing/core-kit.js'

describe('core', () => {
  it('carries a message from one friend to the other, and acknowledges it', async () => {
    const server = new TestServer()
    const ann = await server.enter('ann')
    const ben = await server.enter('ben')
    ann.sendItems('c1', 'cid-1', 'cid-2')
    const ack = await ann.next('ack')
    expect(ack.items.map(({ cid, seq }) => [cid, seq])).toEqual([
      ['cid-1', 1],
      ['cid-2', 2],
    ])
    expect(ack.refused).toBeUndefined()
    const { items } = await ben.next('messages')
    expect(items).toMatchObject([
      { conversation: 'c1', seq: 1, from: 'ann', to: 'ben', type: 'text', content: 'cid-1', cid: 'cid-1' },
      { seq: 2, id: ack.items[1]!.id, createdAt: ack.items[1]!.at },
    ])
    expect(ann.of('messages')).toEqual([])
  })

  it('keeps nothing after everybody has left', async () => {
    const server = new TestServer()
    const clients = [await server.enter('ann'), await server.enter('ben'), server.connectLegacy('ben')]
    clients[0]!.sendItems('c1', 'cid-1')
    await clients[1]!.next('messages')
    for (const client of clients) client.socket.close(1000)
    await server.clock.until(() => server.empty)
    expect(server.core.connections()).toBe(0)
  })
})
