import { describe, expect, it } from 'vitest'
import { type TestClient, TestServer } from './testing/core-kit.js'
import { MixedTraffic } from './testing/mixed-traffic.js'
import { StoreWrap } from './testing/store-wrap.js'

const KEYS = ['_id', 'friend', 'from', 'to', 'content', 'type', 'createdAt', 'seq']

interface Bare {
  _id: string
  friend: string
  from: string
  to: string
  content: string
  type: string
  createdAt: number
  seq: number
}

/** The frame as an article's client parses it. Knows nothing of the product's own encoder. */
function parse(text: string, reader: string): Bare {
  const frame = JSON.parse(text)
  expect(Object.keys(frame)).toEqual(KEYS)
  for (const name of ['_id', 'friend', 'from', 'to', 'content', 'type']) expect(typeof frame[name]).toBe('string')
  expect(['text', 'emoji', 'file']).toContain(frame.type)
  expect([Number.isInteger(frame.createdAt), Number.isInteger(frame.seq)]).toEqual([true, true])
  expect(frame.friend === 'g1' || [frame.from, frame.to].includes(reader)).toBe(true)
  return frame
}

const CONVERSATIONS = ['c1', 'c2', 'g1']

async function logOf({ store }: TestServer): Promise<Map<string, string>> {
  const log = new Map<string, string>()
  for (const conversation of CONVERSATIONS)
    for (const { seq, id, from, content, type } of await store.read(conversation, { after: 0, limit: 1e6 }))
      log.set(`${conversation} ${seq}`, JSON.stringify([id, from, content, type]))
  return log
}

describe('10 minutes of everything at once', () => {
  it.each([
    ['in order and once', 1, false],
    ['in order and once', 2, false],
    // What was stored by an append whose answer was lost is handed out when it is tried again: late, but not never.
    ['once', 3, true],
    ['once', 4, true],
  ])('a legacy socket sees nothing but messages, %s (seed %s)', async (_how, seed, lossy) => {
    const hooks = new StoreWrap()
    const server = new TestServer({ wrap: hooks.wrap })
    server.friends.table.set('c2', ['ann', 'cyd'])
    server.friends.table.set('g1', ['ann', 'ben', 'cyd'])
    const legacy = ['ann', 'ben', 'ben'].map((user): [string, TestClient] => [user, server.connectLegacy(user)])
    await new MixedTraffic(server, hooks, legacy, seed, lossy).run(600)

    const log = await logOf(server)
    for (const [user, client] of legacy) {
      expect(client.closed).toBeUndefined()
      expect(client.texts.length).toBeGreaterThan(100)
      const frames = client.texts.map((text) => parse(text, user))
      for (const conversation of CONVERSATIONS) {
        const seqs = frames.filter(({ friend }) => friend === conversation).map(({ seq }) => seq)
        expect(new Set(seqs).size).toBe(seqs.length)
        if (!lossy) expect(seqs).toEqual([...seqs].sort((one, other) => one - other))
      }
      for (const { friend, seq, _id, from, content, type } of frames) {
        const stored = log.get(`${friend} ${seq}`)
        // Retention has blanked the beginning since.
        if (stored) expect(stored).toBe(JSON.stringify([_id, from, content, type]))
      }
    }
    // At the end too: it is closed, and told nothing.
    const told = legacy.map(([, { texts }]) => texts.length)
    void server.core.close()
    await server.clock.advance(60_000)
    expect(legacy.map(([, { texts, closed }]) => [texts.length, closed?.code])).toEqual(told.map((one) => [one, 1012]))
  })
})
