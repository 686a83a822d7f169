import { newCid, newId, systemRuntime } from '@kithwire/protocol'
import { bodyOf, Line, numberOf } from './line.js'

/** Ms between two cursors of one conversation, and the longest wait before a hole is asked for, as the client has them. */
const CURSOR_MS = 1_000
const JITTER_MS = 200
/** Items of one `send`, and entries of one page. */
const ITEMS = 32
const PAGE = 200

interface Entry {
  seq: number
  id: string
  from: string
  content: string
}

/**
 * `kithwire.v1` as the client speaks it, for one conversation: one `send` under way with all that waits, the same cids
 * after a reconnection, entries applied in order and without holes, cursors once a second at most, and pages for what
 * is missing. Left out is what costs the server nothing: storing, events, timers against silence.
 */
export class KithwireLine extends Line {
  private readonly device = newId(systemRuntime)
  private attempt = 0
  private applied = 0
  private tail = ''
  private readonly held = new Map<number, Entry>()
  /** Messages that are not acknowledged, by number. */
  private readonly cids = new Map<number, string>()
  private readonly numbers = new Map<string, number>()
  private waiting: number[] = []
  private sending = false
  private online = false
  private goal = 0
  private pulling = false
  private n = 0
  private told = 0
  private toldAt = 0

  protected override get protocol(): string {
    return 'kithwire.v1'
  }

  protected override get path(): string {
    return `/chat/ws?user=${this.target.user}`
  }

  override forget(): void {
    this.applied = 0
    this.tail = ''
    this.told = 0
  }

  protected opened(): void {
    const { conversation } = this.target
    const cursors = conversation === '' ? [] : [[conversation, this.applied, this.tail]]
    this.write(JSON.stringify({ v: 1, t: 'hello', device: this.device, attempt: ++this.attempt, cursors }))
  }

  protected override ended(): void {
    this.online = false
    this.sending = false
    this.pulling = false
    this.waiting = []
    this.held.clear()
  }

  protected received(text: string): void {
    const frame = JSON.parse(text)
    switch (frame.t) {
      case 'ack':
        this.acknowledged(frame.items, frame.refused)
        break
      case 'messages':
        for (const item of frame.items) this.take(item)
        this.pull(Math.random() * JITTER_MS)
        break
      case 'page':
        this.page(frame)
        break
      case 'welcome':
        this.noticed(frame.heads)
        if (frame.more) break
        this.online = true
        this.events.ready()
        this.pull(Math.random() * JITTER_MS)
        break
      case 'behind':
        this.noticed(frame.heads)
        this.pull(Math.random() * JITTER_MS)
        break
      case 'error':
        throw new Error(`Kithwire refused a frame of the load: ${text}`)
    }
  }

  send(numbers: readonly number[]): void {
    for (const n of numbers) {
      if (!this.cids.has(n)) {
        const cid = newCid(systemRuntime)
        this.cids.set(n, cid)
        this.numbers.set(cid, n)
      }
      this.waiting.push(n)
    }
    this.pump()
  }

  override tick(now: number): void {
    if (!this.online || this.applied <= this.told || now - this.toldAt < CURSOR_MS) return
    this.told = this.applied
    this.toldAt = now
    const { conversation } = this.target
    this.write(`{"v":1,"t":"cursor","conversation":"${conversation}","delivered":${this.applied}}`)
  }

  private pump(): void {
    if (this.sending || !this.online || this.waiting.length === 0) return
    this.sending = true
    const items = this.waiting
      .splice(0, ITEMS)
      .map((n) => `{"cid":"${this.cids.get(n)}","type":"text","content":"${bodyOf(n)}"}`)
    const { conversation } = this.target
    this.write(`{"v":1,"t":"send","conversation":"${conversation}","items":[${items.join(',')}],"n":${++this.n}}`)
  }

  private acknowledged(
    items: readonly { cid: string; seq: number; id: string }[],
    refused: { cid: string; retry: boolean; code: string } | undefined,
  ): void {
    this.sending = false
    if (refused?.retry === false) throw new Error(`Kithwire refused a message of the load: ${refused.code}`)
    for (const { cid, seq, id } of items) {
      this.take({ seq, id, from: this.target.user, content: '' })
      const n = this.numbers.get(cid)!
      this.numbers.delete(cid)
      this.cids.delete(n)
      this.events.acknowledged(n)
    }
    if (refused) this.again()
    else this.pump()
  }

  /** What was refused for now goes again a little later, before everything else, in its order. */
  private again(): void {
    this.waiting = [...this.cids.keys()]
    this.sending = true
    setTimeout(() => {
      this.sending = false
      this.pump()
    }, 50)
  }

  private take(entry: Entry): void {
    if (entry.seq > this.goal) this.goal = entry.seq
    if (entry.seq !== this.applied + 1) {
      if (entry.seq > this.applied) this.held.set(entry.seq, entry)
      return
    }
    this.apply(entry)
    while (this.held.size > 0) {
      const next = this.held.get(this.applied + 1)
      if (next === undefined) return
      this.held.delete(next.seq)
      this.apply(next)
    }
  }

  private apply({ seq, id, from, content }: Entry): void {
    this.applied = seq
    this.tail = id.slice(-8)
    if (from !== this.target.user) this.events.arrived(numberOf(content))
  }

  private noticed(heads: readonly (readonly [string, number, ...unknown[]])[]): void {
    for (const [conversation, head] of heads)
      if (conversation === this.target.conversation && head > this.goal) this.goal = head
  }

  /** Asks for what is missing after a moment, in which it often comes. */
  private pull(wait: number): void {
    if (this.pulling || !this.online || this.applied >= this.goal) return
    this.pulling = true
    const { attempt } = this
    setTimeout(() => {
      if (attempt !== this.attempt || !this.online) return
      if (this.applied < this.goal) this.ask()
      else this.pulling = false
    }, wait)
  }

  private ask(): void {
    const { conversation } = this.target
    const position = `"after":${this.applied},"tail":"${this.tail}","limit":${PAGE}`
    this.write(`{"v":1,"t":"sync","n":${++this.n},"conversation":"${conversation}",${position}}`)
  }

  private page({ items, reset, refused }: { items?: readonly Entry[]; reset?: unknown; refused?: unknown }): void {
    if (reset || refused) throw new Error(`Kithwire gave no page: ${JSON.stringify({ reset, refused })}`)
    for (const item of items ?? []) this.take(item)
    if (this.applied < this.goal) this.ask()
    else this.pulling = false
  }
}
