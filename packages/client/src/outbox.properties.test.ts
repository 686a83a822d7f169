import type { ClientFrame, KithwireError, Send } from '@kithwire/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RUNS, RUNS_TIMEOUT } from '../../protocol/src/testing/runs.js'
import { entry, head, type Peer, Script, tail } from './testing/script.js'

/** What a server does with one `send`. A refusal is about the item behind what was stored. */
type Deed =
  | { do: 'store'; items: number; end: 'ack' | 'lose' | 'late' }
  | { do: 'refuse'; items: number; code: 'busy' | 'rate_limited' | 'not_found' }
  | { do: 'lose' }

const items = fc.constantFrom(0, 1, 2, 32)
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ do: fc.constant('store' as const), items, end: fc.constantFrom('ack', 'lose', 'late') }),
  fc.record({
    do: fc.constant('refuse' as const),
    items,
    code: fc.constantFrom('busy', 'rate_limited', 'not_found'),
  }),
  fc.constant({ do: 'lose' as const }),
)

/** A server of one conversation that keeps its log, and does with each send what it is told to. */
class MiniServer {
  readonly log: string[] = []
  /** The cids of each send in the order in which it came, by connection. */
  readonly sends: { peer: Peer; cids: string[] }[] = []
  private taken = new Map<Peer, number>()
  private readonly unanswered = new Set<Peer>()

  constructor(
    readonly script: Script,
    private readonly deeds: Deed[],
  ) {}

  /** Deals with everything that has come until the clients have nothing to say any more. */
  async serve(done: () => boolean): Promise<void> {
    for (let rounds = 0; rounds < 400 && !done(); rounds++) {
      for (const peer of this.script.peers) {
        const from = this.taken.get(peer) ?? 0
        this.taken.set(peer, peer.frames.length)
        for (const frame of peer.frames.slice(from)) if (!peer.socket.closed) this.answer(peer, frame)
      }
      await this.script.clock.advance(this.script.clock.untilNext() ?? 100)
    }
  }

  private answer(peer: Peer, frame: ClientFrame): void {
    const { length } = this.log
    if (frame.t === 'hello') peer.welcome([head(length, { tail: this.tailOf(length) })])
    else if (frame.t === 'sync') {
      const after = frame.after ?? 0
      const page = this.log.slice(after).map((cid, index) => this.entry(cid, after + index + 1))
      peer.send({ t: 'page', re: frame.n, conversation: 'c', items: page, head: length, first: 1, more: false })
    } else if (frame.t === 'send') this.take(peer, frame)
  }

  private take(peer: Peer, send: Send): void {
    expect(this.unanswered.has(peer), 'one send in flight').toBe(false)
    this.sends.push({ peer, cids: send.items.map(({ cid }) => cid) })
    const what = this.deeds.shift() ?? { do: 'store', items: 32, end: 'ack' }
    if (what.do === 'lose') {
      peer.socket.terminate()
      return
    }
    const stored = send.items.slice(0, what.items).map(({ cid }) => this.store(cid))
    if (what.do === 'store' && what.end === 'lose') {
      peer.socket.terminate()
      return
    }
    const next = send.items[stored.length]
    const ack = { t: 'ack', re: send.n, conversation: 'c', items: stored } as const
    if (what.do === 'store' && what.end === 'late') {
      this.unanswered.add(peer)
      this.script.clock.setTimer(() => {
        this.unanswered.delete(peer)
        peer.send(ack)
      }, 3_000)
      return
    }
    const { code = 'busy' } = what.do === 'refuse' ? what : {}
    peer.send(next ? { ...ack, refused: { cid: next.cid, code, retry: code !== 'not_found', after: 50 } } : ack)
  }

  private store(cid: string) {
    const known = this.log.indexOf(cid)
    const seq = known >= 0 ? known + 1 : this.log.push(cid)
    return { cid, seq, id: this.entry(cid, seq).id, at: 1, ...(known >= 0 && { duplicate: true }) }
  }

  private entry = (cid: string, seq: number) => entry(seq, { cid, from: 'ann', content: 'x' })
  private tailOf = (seq: number) => tail(seq)
}

it('sends in order, one at a time, and settles each item once, whatever the server does', {
  timeout: RUNS_TIMEOUT,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.array(deed, { maxLength: 12 }), async (count, deeds) => {
      const script = new Script()
      const client = script.client()
      const server = new MiniServer(script, [...deeds])
      const settled: { index: number; seq?: number; code?: string }[] = []
      for (let index = 0; index < count; index++)
        client.send({ conversation: 'c', content: 'x' }).then(
          ({ seq }) => settled.push({ index, seq }),
          ({ code }: KithwireError) => settled.push({ index, code }),
        )
      await server.serve(() => settled.length >= count)
      client.close()
      // Each once, as the log says.
      expect(settled.map(({ index }) => index).sort()).toEqual(Array.from({ length: count }, (_, index) => index))
      const stored = settled.filter(({ seq }) => seq !== undefined).sort((one, other) => one.seq! - other.seq!)
      expect(stored.map(({ seq }) => seq)).toEqual(server.log.map((_, index) => index + 1))
      // In the order in which they were sent.
      expect(stored.map(({ index }) => index)).toEqual(stored.map(({ index }) => index).sort((a, b) => a - b))
      for (const { code } of settled) if (code !== undefined) expect(code).toBe('not_found')
      expect(script.errors).toEqual([])
    }),
    RUNS,
  )
})
