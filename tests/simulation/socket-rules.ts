import type { Verdict } from './ledger.js'
import type { Link } from './link.js'

// biome-ignore lint/suspicious/noExplicitAny: a frame on the wire is whatever somebody wrote
type Json = any

/**
 * Two rules that hold per socket and whose breach heals too soon to be seen at the end: an item that was acknowledged
 * on a socket is not sent on it again, and of a device's sockets only one with a later attempt replaces another.
 */
export class SocketRules {
  private readonly acked = new Map<Link, Set<string>>()
  private readonly hellos = new Map<Link, { device: string; attempt: number }>()
  /** The latest attempt of each device that has said hello. */
  private readonly latest = new Map<string, number>()

  constructor(private readonly verdict: Verdict) {}

  sent(link: Link, frame: Json): void {
    if (frame.t === 'hello') {
      const { device, attempt } = frame
      this.hellos.set(link, { device, attempt })
      this.latest.set(device, Math.max(attempt, this.latest.get(device) ?? 0))
    }
    if (frame.t !== 'send') return
    const acked = this.acked.get(link)
    for (const { cid } of frame.items)
      if (acked?.has(cid)) this.verdict.fail('I15', `link${link.id} sent ${cid} again after its acknowledgement`)
  }

  got(link: Link, frame: Json): void {
    if (frame.t !== 'ack') return
    const acked = this.acked.get(link) ?? new Set()
    this.acked.set(link, acked)
    for (const { cid } of frame.items) acked.add(cid)
  }

  closed(link: Link, code: number): void {
    const hello = this.hellos.get(link)
    if (code === 4009 && hello && hello.attempt >= this.latest.get(hello.device)!)
      this.verdict.fail('I8', `link${link.id} was replaced by an earlier attempt than its own ${hello.attempt}`)
  }
}
