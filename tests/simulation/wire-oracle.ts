import type { Ledger, Verdict } from './ledger.js'
import type { Link } from './link.js'
import type { Wiretap } from './network.js'
import type { Process } from './process.js'
import { SocketRules } from './socket-rules.js'
import type { Trace } from './trace.js'
import type { Views } from './views.js'

// biome-ignore lint/suspicious/noExplicitAny: a frame on the wire is whatever somebody wrote
type Json = any

interface Watched {
  user: string
  device: string
  /** Requests by their `n`: how often each was answered, and when it was sent. */
  answers: Map<number, { count: number; at: number }>
  /** Entries that a legacy socket was sent. */
  legacySeen: Set<string>
  over: boolean
  /** What the client has asked for and not been answered, by `n`. */
  asked: Map<number | 'hello', Asked>
}

type Asked = 'greeting' | 'sending' | 'syncing'

/** That nobody may read a conversation: since when, and by which server, if the others have to hear of it. */
interface Closed {
  at: number
  by: Process | undefined
}

/** Ms that another server may go on: 30 s for which it remembers members, and the time of a question to the store. */
const ELSEWHERE_MS = 33_000
/** Ms that a request may be under way when the run ends. */
const PATIENCE_MS = 1_000
/** Frames that are remembered, at most. */
const MOST_READ = 64
/** 1 MB and one frame. */
const MOST_BUFFERED = 1_048_576 + 65_536
const LEGACY_KEYS = ['_id', 'content', 'createdAt', 'friend', 'from', 'seq', 'to', 'type'].join()

/** Reads both directions of every connection. Checks I1 at the instant of an ack, I10 to I13 and I15. */
export class WireOracle implements Wiretap {
  private readonly watched = new Map<Link, Watched>()
  private readonly rules: SocketRules
  /** Device ids on the wire, by the name that the world has for them. */
  private readonly firstWelcome = new Set<string>()
  /** Conversations that nobody may read now. */
  readonly closed = new Map<string, Closed>()
  /** What is under way on all connections together, and devices that were told to go back and have not. */
  readonly pending = { greeting: 0, sending: 0, syncing: 0, resetting: 0 }
  private readonly goingBack = new Set<string>()
  private readonly marks = new Map<string, { delivered: number; read: number }>()
  /** What was sent under each cid. */
  private readonly contents = new Map<string, string>()
  /** The frames that were read last: most are seen twice, when they are sent and when they arrive, or go to several. */
  private readonly read = new Map<string, Json>()

  constructor(
    private readonly verdict: Verdict,
    private readonly ledger: Ledger,
    private readonly views: Views,
    private readonly trace: Trace,
  ) {
    this.rules = new SocketRules(verdict)
  }

  /** Nobody may read a conversation from now on; at once on the server that said so, soon on the others. */
  close(conversation: string, by?: Process): void {
    this.closed.set(conversation, { by, at: this.trace.now })
  }

  opened(link: Link): void {
    const user = link.url.split('/').at(-1)!
    this.rules.opened(link)
    this.watched.set(link, {
      user,
      device: '',
      answers: new Map(),
      legacySeen: new Set(),
      over: false,
      asked: new Map(),
    })
    this.trace.note(`link${link.id}`, 'open', `${link.host} ${user} ${link.protocol}`)
  }

  clientSent(link: Link, text: string): void {
    this.trace.note(`link${link.id}`, 'up', text)
    const frame = this.parsed(text)
    const watched = this.watched.get(link)
    if (watched === undefined || link.protocol === '') return
    this.rules.sent(link, frame)
    if (frame.t === 'hello') {
      watched.device = `${link.host} ${frame.device}`
      this.ask(watched, 'hello', 'greeting')
    } else if (frame.t === 'send') {
      this.ask(watched, frame.n, 'sending')
      for (const { cid, content } of frame.items) this.contents.set(cid, content)
    } else if (frame.t === 'sync') this.ask(watched, frame.n, 'syncing')
    if (typeof frame.n === 'number') {
      if (watched.answers.has(frame.n)) this.verdict.fail('I15', `link${link.id} asked ${frame.n} twice`)
      watched.answers.set(frame.n, { count: 0, at: this.trace.now })
    }
  }

  serverSent(link: Link, text: string): void {
    this.trace.note(`link${link.id}`, 'down', text)
    const watched = this.watched.get(link)!
    const frame = this.parsed(text)
    if (link.down.buffered > MOST_BUFFERED)
      this.verdict.fail('I12', `link${link.id}: the server keeps ${link.down.buffered} bytes for one socket`)
    if (link.protocol === '') this.legacy(link, watched, frame)
    else this.frame(link, watched, frame)
  }

  clientGot(link: Link, text: string): void {
    this.trace.note(`link${link.id}`, 'got', text.slice(0, 60))
    if (link.protocol === '') return
    const frame = this.parsed(text)
    this.rules.got(link, frame)
    if (frame.t !== 'welcome' && frame.t !== 'behind') return
    const fresh = frame.t === 'welcome' && !this.firstWelcome.has(link.host)
    for (const [conversation, head, , joined] of frame.heads)
      if (fresh) this.views.fresh(link.host, conversation, head)
      else this.views.later(link.host, conversation, joined)
  }

  /** The device has stored the positions of its first welcome: from now on a conversation starts at `joined`. */
  started(host: string): void {
    this.firstWelcome.add(host)
  }

  serverClosed(link: Link, code: number): void {
    this.trace.note(`link${link.id}`, 's-close', String(code))
    this.over(link)
  }

  clientClosed(link: Link, code: number): void {
    this.trace.note(`link${link.id}`, 'c-close', String(code))
    this.rules.closed(link, code)
    this.over(link)
  }

  marked(mark: { conversation: string; user: string; delivered: number; read: number }): void {
    const key = JSON.stringify([mark.conversation, mark.user])
    const before = this.marks.get(key) ?? { delivered: 0, read: 0 }
    if (mark.delivered < before.delivered || mark.read < before.read)
      this.verdict.fail('I10', `the marks of ${mark.user} in ${mark.conversation} went back`)
    this.checkMark(mark.user, mark.conversation, mark.delivered, mark.read)
    this.marks.set(key, mark)
  }

  /** The store was set back, its marks with it. */
  restored(marks: readonly { conversation: string; user: string; delivered: number; read: number }[]): void {
    this.marks.clear()
    this.rules.reset()
    for (const mark of marks) this.marks.set(JSON.stringify([mark.conversation, mark.user]), mark)
  }

  /** A device goes back, since the log was set back. */
  reset(host: string, conversation: string): void {
    this.goingBack.delete(`${host} ${conversation}`)
    this.pending.resetting = this.goingBack.size
    this.rules.reset(host, conversation)
  }

  /** A tab was told that its message has failed. */
  failed(host: string, content: string): void {
    this.rules.failed(host, content)
  }

  delivered(conversation: string, user: string): number {
    return this.marks.get(JSON.stringify([conversation, user]))?.delivered ?? 0
  }

  /** Faults have stopped: on a socket that is still up, every request has its answer. */
  finish(): void {
    for (const [link, watched] of this.watched) {
      if (watched.over || !link.established) continue
      for (const [n, { count, at }] of watched.answers)
        if (count !== 1 && at < this.trace.now - PATIENCE_MS)
          this.verdict.fail('I15', `link${link.id}: ${count} answers to ${n}`)
    }
  }

  private parsed(text: string): Json {
    const known = this.read.get(text)
    if (known !== undefined) return known
    if (this.read.size >= MOST_READ) this.read.clear()
    const frame: Json = JSON.parse(text)
    this.read.set(text, frame)
    return frame
  }

  private over(link: Link): void {
    const watched = this.watched.get(link)
    if (!watched) return
    watched.over = true
    for (const key of [...watched.asked.keys()]) this.told(watched, key)
    for (const key of this.goingBack) if (key.startsWith(`${link.host} `)) this.goingBack.delete(key)
    this.pending.resetting = this.goingBack.size
  }

  private ask(watched: Watched, key: number | 'hello', what: Asked): void {
    if (watched.over || watched.asked.has(key)) return
    watched.asked.set(key, what)
    this.pending[what]++
  }

  private told(watched: Watched, key: number | 'hello'): void {
    const what = watched.asked.get(key)
    if (what === undefined) return
    watched.asked.delete(key)
    this.pending[what]--
  }

  private frame(link: Link, watched: Watched, frame: Json): void {
    if (typeof frame.re === 'number') {
      this.told(watched, frame.re)
      const request = watched.answers.get(frame.re)
      const count = request ? ++request.count : Number.NaN
      if (count !== 1) this.verdict.fail('I15', `link${link.id}: answer ${count} to ${frame.re}`)
    }
    switch (frame.t) {
      case 'ack':
        for (const item of frame.items) this.ledger.wireAcked(watched.user, frame.conversation, item)
        if (frame.refused?.code === 'blocked' || frame.refused?.code === 'not_found')
          this.ledger.wireRefused(this.contents.get(frame.refused.cid) ?? '')
        return
      case 'messages':
        this.items(link, watched, frame.conversation, frame.items)
        return
      case 'page':
        if (frame.items) this.items(link, watched, frame.conversation, frame.items)
        if (frame.reset && !watched.over) this.goingBack.add(`${link.host} ${frame.conversation}`)
        this.pending.resetting = this.goingBack.size
        return
      case 'cursor':
        this.secret(link, watched, frame.conversation, 'a cursor')
        if (frame.user !== undefined)
          this.checkMark(frame.user, frame.conversation, frame.delivered ?? 0, frame.read ?? 0)
        return
      case 'signal':
        // That somebody is gone is said of who may not be seen any more, too, and tells nothing.
        if (frame.kind !== 'presence' || frame.value) this.secret(link, watched, frame.conversation, 'a signal')
        return
      case 'welcome':
        this.told(watched, 'hello')
        if (frame.user !== watched.user) this.verdict.fail('I11', `${watched.user} was welcomed as ${frame.user}`)
    }
  }

  private items(link: Link, watched: Watched, conversation: string, items: Json[]): void {
    if (items.length > 0) this.secret(link, watched, conversation, 'messages')
    let previous: number | undefined
    for (const item of items) {
      if (previous !== undefined && item.seq !== previous + 1)
        this.verdict.fail('I7', `the server sent ${conversation}/${item.seq} behind ${previous}`)
      previous = item.seq
      const entry = this.ledger.entry(conversation, item.seq)
      if (entry?.id !== item.id || entry?.content !== item.content)
        this.verdict.fail('I4', `the server sent ${conversation}/${item.seq}, which is not the durable one`)
    }
  }

  private secret(link: Link, watched: Watched, conversation: string, what: string): void {
    const member = conversation.split('-').includes(watched.user)
    if (!member || this.isClosed(link.server?.process, conversation))
      this.verdict.fail('I11', `${watched.user} was sent ${what} of ${conversation}`)
  }

  private isClosed(server: Process | undefined, conversation: string): boolean {
    const closed = this.closed.get(conversation)
    if (closed === undefined) return false
    if (closed.by === undefined || closed.by === server) return true
    // A server that slept may have its answer from before, and remember it from when it woke up.
    return server?.slept !== true && this.trace.now > closed.at + ELSEWHERE_MS
  }

  private checkMark(user: string, conversation: string, delivered: number, read: number): void {
    const head = this.ledger.head(conversation)
    if (read > delivered && delivered > 0) this.verdict.fail('I10', `${user} read ${read} of ${delivered} delivered`)
    if (delivered > head) this.verdict.fail('I10', `${user} has ${delivered} delivered of ${head} in ${conversation}`)
  }

  private legacy(link: Link, watched: Watched, frame: Json): void {
    if (Object.keys(frame).sort().join() !== LEGACY_KEYS) {
      this.verdict.fail('I13', `link${link.id}: a legacy socket was sent ${JSON.stringify(frame).slice(0, 80)}`)
      return
    }
    this.secret(link, watched, frame.friend, 'a message')
    // Live delivery is best effort: an append whose outcome was unknown may be handed out late, but not twice.
    if (watched.legacySeen.has(frame._id)) this.verdict.fail('I13', `link${link.id}: ${frame._id} twice`)
    watched.legacySeen.add(frame._id)
    const entry = this.ledger.entry(frame.friend, frame.seq)
    if (entry?.id !== frame._id || entry?.content !== frame.content || entry?.from !== frame.from)
      this.verdict.fail('I13', `link${link.id}: ${frame.friend}/${frame.seq} is not the entry of the log`)
  }
}
