import type { Context, Identity } from './context.js'
import { Alarm } from './timer-wheel.js'

/** At least so often the wall clock is looked at, which may jump. */
const LOOK_MS = 60_000

export interface CredentialsOwner {
  /** They have expired; new ones are waited for. */
  credentialsExpired(): void
  /** None came. */
  credentialsEnded(): void
}

/** The credentials of one socket and their end. */
export class Credentials extends Alarm {
  /** New ones are waited for. */
  private waiting = false
  /** The latest identity that can check a token; the app need not give each one the means again. */
  private checker: Identity

  constructor(
    private readonly context: Pick<Context, 'runtime' | 'wheel' | 'limits'>,
    private current: Identity,
    private readonly owner: CredentialsOwner,
  ) {
    super()
    this.checker = current
    this.watch()
  }

  get expired(): boolean {
    const { expires } = this.current
    return expires !== undefined && expires <= this.context.runtime.now()
  }

  get address(): string | undefined {
    return this.current.address ?? this.checker.address
  }

  /** Whether tokens can be checked at all. */
  get renewable(): boolean {
    return this.checker.reauthenticate !== undefined
  }

  /** Who a token belongs to; null if nobody. Rejects as the app does. */
  async check(token: string): Promise<Identity | null> {
    return (await this.checker.reauthenticate?.(token)) ?? null
  }

  renew(identity: Identity): void {
    this.current = identity
    if (identity.reauthenticate !== undefined) this.checker = identity
    this.stop()
    this.waiting = false
    this.watch()
  }

  stop(): void {
    this.context.wheel.clear(this)
  }

  ring(): void {
    if (this.waiting) this.owner.credentialsEnded()
    else this.watch()
  }

  private watch(): void {
    const { expires } = this.current
    if (expires === undefined) return
    const { runtime, wheel, limits } = this.context
    const left = expires - runtime.now()
    if (left > 0) {
      wheel.start(this, Math.min(left, LOOK_MS))
      return
    }
    this.waiting = true
    wheel.start(this, limits.authMs)
    this.owner.credentialsExpired()
  }
}
