import { KithwireError } from '@kithwire/protocol'
import type { Link } from './link.js'
import type { TokenSource } from './options.js'

/** The token, from wherever it comes, for the next socket or for the one that is open. */
export class Credentials {
  constructor(public source: TokenSource | undefined) {}

  /** Whether there is somebody to ask for a newer one. */
  get renewable(): boolean {
    return typeof this.source === 'function'
  }

  async ask(): Promise<string | undefined> {
    return typeof this.source === 'function' ? await this.source() : this.source
  }

  /** Sends a token on an open socket. @throws KithwireError the server's refusal, or what the source threw */
  async refresh(link: Link): Promise<void> {
    const token = await this.ask()
    if (token === undefined) return
    const answer = await link.call({ t: 'auth', token })
    if (answer.t === 'error') throw new KithwireError(answer.code, answer.message)
  }
}
