import { isUserId, KithwireError, newId, type Runtime } from '@kithwire/protocol'

/** How long a ticket may wait to be used. */
const TICKET_MS = 30_000
/** Tickets that may wait at once, so that a route which hands them out cannot be made to fill the memory. */
const MOST_TICKETS = 100_000

/**
 * Single-use keys of 30 s for a socket whose client can send neither a cookie nor a subprotocol: a URL ends up in logs,
 * and a key that has been used or is half a minute old is worth nothing there. Known to this process only.
 */
export class Tickets {
  /** In the order of their end, since all live equally long. */
  private readonly waiting = new Map<string, { user: string; until: number; expires: number | undefined }>()

  constructor(private readonly runtime: Runtime) {}

  issue(user: string, expires?: number): string {
    if (!isUserId(user)) throw new KithwireError('bad_field', 'Expected a user id.')
    this.forget()
    if (this.waiting.size >= MOST_TICKETS) throw new KithwireError('busy', 'Too many tickets wait to be used.')
    const ticket = newId(this.runtime)
    this.waiting.set(ticket, { user, until: this.runtime.monotonic() + TICKET_MS, expires })
    return ticket
  }

  /** Who the ticket was for, if it is still good. It is not afterwards. */
  redeem(ticket: string): { id: string; expires?: number } | null {
    const found = this.waiting.get(ticket)
    this.waiting.delete(ticket)
    if (found === undefined || found.until < this.runtime.monotonic()) return null
    return { id: found.user, ...(found.expires === undefined ? {} : { expires: found.expires }) }
  }

  private forget(): void {
    const now = this.runtime.monotonic()
    for (const [ticket, { until }] of this.waiting) {
      if (until >= now) return
      this.waiting.delete(ticket)
    }
  }
}
