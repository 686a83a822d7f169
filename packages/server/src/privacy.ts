import type { Runtime } from '@kithwire/protocol'
import type { LRUCache } from 'lru-cache'
import type { Log, LogThrottle } from './log.js'
import { remembered } from './remembered.js'

type Answer = boolean | Promise<boolean>

/**
 * What users let others see of them. Who hides something does not see it of others either, so that nobody looks without
 * being seen. A function that throws hides.
 */
export interface PrivacyOptions {
  /** Whether others see when the user is online. @default everybody's is seen */
  presence?(user: string): Answer
  /** Whether others see what the user has read. @default everybody's is seen */
  readMarks?(user: string): Answer
}

/** Asks the app, and remembers its answers for a while: they are needed with each mark and each hello. */
export class Privacy {
  private readonly known: LRUCache<string, boolean>
  private readonly throttle: LogThrottle = {}

  constructor(
    private readonly options: PrivacyOptions,
    private readonly log: Log,
    runtime: Runtime,
    rememberMs: number,
  ) {
    this.known = remembered(runtime, rememberMs)
  }

  /** Whether all see everything: nobody need be asked. */
  open(what: keyof PrivacyOptions): boolean {
    return this.options[what] === undefined
  }

  /** What is remembered; undefined: ask. */
  peek(what: keyof PrivacyOptions, user: string): boolean | undefined {
    return this.open(what) || this.known.get(`${what} ${user}`)
  }

  async shows(what: keyof PrivacyOptions, user: string): Promise<boolean> {
    const known = this.peek(what, user)
    if (known !== undefined) return known
    try {
      const shown = (await this.options[what]!(user)) === true
      this.known.set(`${what} ${user}`, shown)
      return shown
    } catch (cause) {
      this.log.failure('privacy_failed', cause, {}, this.throttle)
      return false
    }
  }

  /** Those of these users who show it. */
  async among(what: keyof PrivacyOptions, users: readonly string[]): Promise<ReadonlySet<string>> {
    const shown = await Promise.all(users.map((user) => this.shows(what, user)))
    return new Set(users.filter((_, index) => shown[index]))
  }

  /** The user has changed something. */
  forget(user: string): void {
    for (const what of ['presence', 'readMarks']) this.known.delete(`${what} ${user}`)
  }

  clear(): void {
    this.known.clear()
  }
}
