import type { ClientFrame, KithwireError, Send, SendItem } from '@kithwire/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RUNS, RUNS_TIMEOUT } from '../../protocol/src/testing/runs.js'
import { entry, head, type Peer, Script, tail } from './testing/script.js'

/** What a server does with one `send`. A refusal is about the item behind what was stored. */
type Deed =
  | { do: 'store'; items: number; end: 'ack' | 'lose' | 'late' }
  | { do: 'refuse'; items: number; code: 'busy' | 'rate_limited' | 'not_found' }
  | { do: 'error'; code: 'internal' | 'bad_field' }
  | { do: 'lose' }

const items = fc.constantFrom(0, 1, 2, 32)
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ do: fc.constant('store' as const), items, end: fc.constantFrom('ack', 'lose', 'late') }),
  fc.record({
    do: fc.constant('refuse' as const),
    items,
    code: fc.constantFrom('busy', 'rate_limited', 'not_found'),
  }),
  fc.record({ do: fc.constant('error' as const), code: fc.constantFrom('internal', 'bad_field') }),
  fc.constant({ do: 'lose' as const }),
)

/** Ms before an item is sent, after the one before it. */
const pause = fc.constantFrom(0, 0, 1, 1_000)

/** A server of one conversation that keeps its log, and does with each send what it is told to. */
class MiniServer {
  readonly log: { cid: string; content: string }[] = []
  /** Contents that were refused for good. */
  readonly refused = new Set<string>()
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
      const page = this.log.slice(after).map((item, index) => this.entry(item, after + index + 1))
      peer.send({ t: 'page', re: frame.n, conversation: 'c', items: page, head: length, first: 1, more: false })
    } else if (frame.t === 'send') this.take(peer, frame)
  }

  private take(peer: Peer, send: Send): void {
    expect(this.unanswered.has(peer), 'one send in flight').toBe(false)
    const told: Deed = this.deeds.shift() ?? { do: 'store', items: 32, end: 'ack' }
    // A cid is looked up before it is refused for good.
    const known = send.items.some(({ cid }) => this.log.some((item) => item.cid === cid))
    const what: Deed = known && told.do !== 'lose' ? { do: 'store', items: 32, end: 'ack' } : told
    if (what.do === 'lose') {
      peer.socket.terminate()
      return
    }
    if (what.do === 'error') {
      if (what.code === 'bad_field' && send.items.length === 1) this.refused.add(send.items[0]!.content)
      peer.send({ t: 'error', re: send.n, code: what.code, message: 'x', fatal: false })
      return
    }
    const stored = send.items.slice(0, what.items).map((item) => this.store(item))
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
    if (what.do === 'refuse' && what.code === 'not_found' && next) this.refused.add(next.content)
    const { code = 'busy' } = what.do === 'refuse' ? what : {}
    peer.send(next ? { ...ack, refused: { cid: next.cid, code, retry: code !== 'not_found', after: 50 } } : ack)
  }

  private store({ cid, content }: SendItem) {
    const known = this.log.findIndex((item) => item.cid === cid)
    const seq = known >= 0 ? known + 1 : this.log.push({ cid, content })
    return { cid, seq, id: entry(seq).id, at: 1, ...(known >= 0 && { duplicate: true }) }
  }

  private entry = ({ cid, content }: { cid: string; content: string }, seq: number) =>
    entry(seq, { cid, from: 'ann', content })
  private tailOf = (seq: number) => tail(seq)
}

it('sends in order, one at a time, and settles each item once, whatever the server does', {
  timeout: RUNS_TIMEOUT,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(pause, { minLength: 1, maxLength: 8 }),
      fc.array(deed, { maxLength: 12 }),
      async (pauses, deeds) => {
        const count = pauses.length
        const script = new Script()
        const client = script.client()
        const server = new MiniServer(script, [...deeds])
        const settled: { index: number; seq?: number; code?: string }[] = []
        let at = 0
        for (const [index, ms] of pauses.entries()) {
          at += ms
          script.clock.setTimer(() => {
            client.send({ conversation: 'c', content: `${index}` }).then(
              ({ seq }) => settled.push({ index, seq }),
              ({ code }: KithwireError) => settled.push({ index, code }),
            )
          }, at)
        }
        await server.serve(() => settled.length >= count)
        client.close()
        // Each once, as the log says.
        expect(settled.map(({ index }) => index).sort()).toEqual(Array.from({ length: count }, (_, index) => index))
        const stored = settled.filter(({ seq }) => seq !== undefined).sort((one, other) => one.seq! - other.seq!)
        expect(stored.map(({ seq }) => seq)).toEqual(server.log.map((_, index) => index + 1))
        // In the order in which they were sent.
        expect(server.log.map(({ content }) => content)).toEqual(stored.map(({ index }) => `${index}`))
        expect(stored.map(({ index }) => index)).toEqual(stored.map(({ index }) => index).sort((a, b) => a - b))
        // Shown as failed is what was refused for good, and nothing else.
        const failed = settled.filter(({ code }) => code !== undefined)
        expect(new Set(failed.map(({ index }) => `${index}`))).toEqual(server.refused)
        for (const { code } of failed) expect(['not_found', 'bad_field']).toContain(code)
        expect(script.errors).toEqual([])
      },
    ),
    RUNS,
  )
})
