import { KithwireError } from '@kithwire/protocol'
import type { Link } from './link.js'
import type { TokenSource } from './options.js'

/** The token, from wherever it comes, for the next socket or for the one that is open. */
export class Credentials {
  /** Raised with each change: a refusal of older ones says nothing of these. */
  version = 0

  constructor(private source: TokenSource | undefined) {}

  replace(source: TokenSource | undefined): void {
    this.source = source
    this.version++
  }

  /** Whether there is somebody to ask for a newer one. */
  get renewable(): boolean {
    return typeof this.source === 'function'
  }

  async ask(): Promise<string | undefined> {
    return typeof this.source === 'function' ? await this.source() : this.source
  }

  /**
   * Sends a token on an open socket. False if there is none to send.
   *
   * @throws KithwireError the server's refusal, or what the source threw
   */
  async refresh(link: Link): Promise<boolean> {
    const token = await this.ask()
    if (token === undefined) return false
    const answer = await link.call({ t: 'auth', token })
    if (answer.t === 'error') throw new KithwireError(answer.code, answer.message)
    return true
  }
}
