import type { Verdict } from './ledger.js'
import type { Link } from './link.js'

// biome-ignore lint/suspicious/noExplicitAny: a frame on the wire is whatever somebody wrote
type Json = any

/**
 * Rules whose breach heals too soon to be seen at the end: an item that was acknowledged on a socket is not sent on it
 * again; of a device's sockets only one with a later attempt replaces another; nobody is taken for dead with whom
 * nothing is wrong; no message fails that a newer socket has under way; and what a device has told as delivered, it still has at its next hello.
 */
export class SocketRules {
  private readonly acked = new Map<Link, Set<string>>()
  private readonly hellos = new Map<Link, { device: string; attempt: number }>()
  /** The latest attempt of each device that has said hello. */
  private readonly latest = new Map<string, number>()

  /** How far each device has told that it got, by host and conversation. */
  private readonly told = new Map<string, number>()
  /** The same as of when a socket was opened. */
  private readonly before = new WeakMap<Link, ReadonlyMap<string, number>>()
  /** Messages under way on each socket that is not over, by the number of their frame. */
  private readonly flying = new Map<Link, Map<number, string[]>>()
  /** The socket on which a message was refused last. */
  private readonly refused = new Map<string, Link>()
  /** Where a device goes back, and may still tell what it had, until its next hello. */
  private readonly back = new Set<string>()

  constructor(private readonly verdict: Verdict) {}

  /** A hello is made when its socket opens, and may be held up on its way out while another tab goes on telling. */
  opened(link: Link): void {
    const prefix = `${link.host} `
    this.before.set(link, new Map([...this.told].filter(([key]) => key.startsWith(prefix))))
  }

  sent(link: Link, frame: Json): void {
    if (frame.t === 'hello') {
      const { device, attempt } = frame
      this.hellos.set(link, { device, attempt })
      this.latest.set(device, Math.max(attempt, this.latest.get(device) ?? 0))
    }
    for (const [conversation, seq] of frame.t === 'hello' ? (frame.cursors ?? []) : []) {
      const key = `${link.host} ${conversation}`
      this.back.delete(key)
      const told = Math.min(this.told.get(key) ?? 0, this.before.get(link)?.get(key) ?? 0)
      if (seq < told) this.verdict.fail('I10', `${link.host} told ${told} of ${conversation}, and has ${seq}`)
    }
    if (frame.t === 'cursor') {
      const key = `${link.host} ${frame.conversation}`
      if (!this.back.has(key)) this.told.set(key, Math.max(frame.delivered ?? 0, this.told.get(key) ?? 0))
    }
    if (frame.t !== 'send') return
    const flying = this.flying.get(link) ?? new Map()
    this.flying.set(link, flying.set(frame.n, frame.items.map(contentOf)))
    const acked = this.acked.get(link)
    for (const { cid } of frame.items)
      if (acked?.has(cid)) this.verdict.fail('I15', `link${link.id} sent ${cid} again after its acknowledgement`)
  }

  got(link: Link, frame: Json): void {
    const contents = this.flying.get(link)?.get(frame.re)
    if (contents) this.flying.get(link)!.delete(frame.re)
    if (frame.t !== 'ack') return
    if (contents && frame.refused) this.refused.set(contents[frame.items.length]!, link)
    const acked = this.acked.get(link) ?? new Set()
    this.acked.set(link, acked)
    for (const { cid } of frame.items) acked.add(cid)
  }

  /** The log was set back, or a device goes back since it was. */
  reset(host?: string, conversation?: string): void {
    if (host === undefined) {
      this.told.clear()
      return
    }
    const key = `${host} ${conversation}`
    this.told.delete(key)
    this.back.add(key)
    // What was acknowledged is to be sent again, also on a socket whose end nobody has noticed.
    for (const link of this.acked.keys()) if (link.host === host) this.acked.delete(link)
  }

  /** A tab was told that a message has failed: not while a newer socket of its device has it under way. */
  failed(host: string, content: string): void {
    const link = this.refused.get(content)
    const attempt = link && this.hellos.get(link)?.attempt
    if (attempt === undefined) return
    for (const [other, frames] of this.flying)
      if (other.host === host && this.hellos.get(other)!.attempt > attempt)
        if ([...frames.values()].some((contents) => contents.includes(content)))
          this.verdict.fail('I9', `${content} failed by link${link!.id}, and link${other.id} has it under way`)
  }

  closed(link: Link, code: number): void {
    this.flying.delete(link)
    if (code === 4003 && !link.troubled && !link.client.process.slept)
      this.verdict.fail('I8', `link${link.id} was taken for dead, and nothing was wrong with it`)
    const hello = this.hellos.get(link)
    if (code === 4009 && hello && hello.attempt >= this.latest.get(hello.device)!)
      this.verdict.fail('I8', `link${link.id} was replaced by an earlier attempt than its own ${hello.attempt}`)
  }
}

const contentOf = ({ content }: Json): string => content
