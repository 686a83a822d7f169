import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RUNS, RUNS_TIMEOUT } from '../../protocol/src/testing/runs.js'
import { entries, entry, head, type Peer, Script } from './testing/script.js'

/** What happens: the log grows, a push arrives (or not, or late, or twice), the connection is lost, time passes. */
type Step = { grow: number } | { push: number[] } | { lose: true } | { wait: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ grow: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ push: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }) }),
  fc.constant({ lose: true as const }),
  fc.record({ wait: fc.constantFrom(1, 150, 5_000) }),
)

/** Answers what has come on any connection from a log of this many entries, at most `most` a page. */
function answer(script: Script, done: Map<Peer, number>, length: number, most: number): void {
  for (const peer of script.peers) {
    const from = done.get(peer) ?? 0
    done.set(peer, peer.frames.length)
    for (const frame of peer.frames.slice(from)) {
      if (frame.t === 'hello') peer.welcome([head(length)])
      if (frame.t !== 'sync') continue
      const after = frame.after ?? 0
      const to = Math.min(length, after + most)
      const items = entries(after + 1, to)
      peer.send({ t: 'page', re: frame.n, conversation: 'c', items, head: length, first: 1, more: to < length })
    }
  }
}

it('shows the log once, in order and without a hole, whatever arrives when', { timeout: RUNS_TIMEOUT }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.constantFrom(1, 3, 200), async (steps, most) => {
      const script = new Script()
      const client = script.client()
      const seen: number[] = []
      client.onMessage((message) => void seen.push(message.seq))
      await script.online([head(0)])
      const done = new Map<Peer, number>([[script.peers[0]!, 1]])
      let length = 0
      const pass = async (ms: number, enough = () => false) => {
        for (let passed = 0; passed < ms && !enough(); passed += 50) {
          answer(script, done, length, most)
          await script.clock.advance(50)
        }
      }
      for (const each of steps) {
        const peer = script.peers.at(-1)!
        if ('grow' in each) length += each.grow
        else if ('lose' in each) peer.socket.terminate()
        else if ('wait' in each) await pass(each.wait)
        else
          for (const seq of each.push)
            if (seq <= length) peer.send({ t: 'messages', conversation: 'c', items: [entry(seq)] })
        expect(seen).toEqual(seen.map((_, index) => index + 1))
      }
      // A push of the last entry is all that a device needs to find the rest.
      await pass(25_000, () => done.has(script.peers.at(-1)!) && !script.peers.at(-1)!.socket.closed)
      if (length > 0) script.peers.at(-1)!.send({ t: 'messages', conversation: 'c', items: [entry(length)] })
      await pass(25_000, () => seen.length >= length)
      client.close()
      expect(seen).toEqual(Array.from({ length }, (_, index) => index + 1))
      expect(script.errors).toEqual([])
    }),
    RUNS,
  )
})
