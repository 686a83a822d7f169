import type { Runtime } from '@kithwire/protocol'
import type { ServerLimits } from './limits.js'
import { addressKey } from './proxy.js'

/** The limits of `ServerLimits` that are about who may connect. */
export type AdmissionLimits = Pick<
  ServerLimits,
  'connectionsPerUser' | 'connectionsPerAddress' | 'connections' | 'handshakeRate' | 'handshakeBurst'
>

export type Refused = 'address' | 'rate' | 'total'

/** A place that a handshake holds, and then its socket. */
export class Place {
  private claimed: string | undefined
  private open = true

  constructor(
    private readonly admission: Admission,
    private readonly key: string,
  ) {}

  /** Counts the place for a user as well; false if the user has no more. */
  claim(user: string): boolean {
    if (!this.admission.claim(user)) return false
    this.claimed = user
    return true
  }

  /** The handshake offered credentials that were refused. */
  failed(): void {
    this.admission.failed(this.key)
  }

  /** Gives it back: exactly when the socket is gone. Twice does no harm. */
  release(): void {
    if (!this.open) return
    this.open = false
    this.admission.leave(this.key, this.claimed)
  }
}

/** What a refused credential costs of the burst, beside the handshake itself: guessing is slower than connecting. */
const FAILURE_COST = 4

/**
 * Who may open a socket, before anything is read or asked: so many per address, per user and in all, and so many
 * handshakes per second and address. The rate is GCRA (ITU-T I.371), which needs one number per address and no timer.
 */
export class Admission {
  private total = 0
  private readonly byAddress = new Map<string, number>()
  private readonly byUser = new Map<string, number>()
  /** Per address, when its burst is whole again. In the order of their last change, so the first are the stalest. */
  private readonly wholeAt = new Map<string, number>()

  constructor(
    private readonly limits: AdmissionLimits,
    private readonly runtime: Pick<Runtime, 'monotonic'>,
  ) {}

  /** Sockets and handshakes under way. */
  get size(): number {
    return this.total
  }

  enter(address: string): Place | Refused {
    const key = addressKey(address)
    if (!this.spend(key, 1)) return 'rate'
    if ((this.byAddress.get(key) ?? 0) >= this.limits.connectionsPerAddress) return 'address'
    if (this.total >= this.limits.connections) return 'total'
    this.total++
    add(this.byAddress, key, 1)
    return new Place(this, key)
  }

  /** For `Place`: counts one more of a user, if there may be one. */
  claim(user: string): boolean {
    if ((this.byUser.get(user) ?? 0) >= this.limits.connectionsPerUser) return false
    add(this.byUser, user, 1)
    return true
  }

  /** For `Place`. */
  failed(key: string): void {
    this.spend(key, FAILURE_COST)
  }

  /** For `Place`. */
  leave(key: string, user: string | undefined): void {
    this.total--
    add(this.byAddress, key, -1)
    if (user !== undefined) add(this.byUser, user, -1)
  }

  private spend(key: string, cost: number): boolean {
    const now = this.runtime.monotonic()
    this.forget(now)
    const each = 1000 / this.limits.handshakeRate
    const whole = Math.max(this.wholeAt.get(key) ?? 0, now) + cost * each
    if (cost === 1 && whole - now > this.limits.handshakeBurst * each) return false
    this.wholeAt.delete(key)
    this.wholeAt.set(key, Math.min(whole, now + this.limits.handshakeBurst * each))
    return true
  }

  /** Two look-ups for each new entry, so that the map shrinks faster than it grows and nobody needs a timer. */
  private forget(now: number): void {
    let looked = 0
    for (const [key, whole] of this.wholeAt) {
      if (looked++ === 2) break
      if (whole > now) continue
      this.wholeAt.delete(key)
    }
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const next = (counts.get(key) ?? 0) + by
  if (next > 0) counts.set(key, next)
  else counts.delete(key)
}
