import { type ErrorFrame, type Page, PROTOCOL_LIMITS, type Runtime, type Sync, type Timer } from '@kithwire/protocol'
import type { Link } from './link.js'

/** Syncs a second, and at once after a pause: half of the frames that a server takes from one socket. */
const RATE = 25
const BURST = 25

type Question = Omit<Sync, 'n'>

/** Asks for pages: at most 4 questions under way on a socket, and no more a second than a server takes. */
export class Syncs {
  private link: Link | undefined
  private flying = 0
  private tokens = BURST
  private filled = 0
  private timer: Timer
  private queue: { question: Question; resolve(page: Promise<Page | ErrorFrame>): void }[] = []

  constructor(private readonly runtime: Runtime) {}

  /** Begins with a socket, or with none; what waited for the last one is answered as lost. */
  attach(link: Link | undefined): void {
    const old = this.link
    this.link = link
    this.flying = 0
    this.runtime.clearTimer(this.timer)
    this.timer = undefined
    for (const { question, resolve } of this.queue.splice(0))
      if (old) resolve(old.call(question) as Promise<Page | ErrorFrame>)
  }

  /** @throws KithwireError `unknown_outcome` when the socket ends first */
  ask(link: Link, question: Question): Promise<Page | ErrorFrame> {
    if (link !== this.link) return link.call(question) as Promise<Page | ErrorFrame>
    return new Promise((resolve) => {
      this.queue.push({ question, resolve })
      this.pump()
    })
  }

  private pump(): void {
    const { link, runtime } = this
    if (!link) return
    const now = runtime.monotonic()
    this.tokens = Math.min(BURST, this.tokens + ((now - this.filled) * RATE) / 1_000)
    this.filled = now
    while (this.flying < PROTOCOL_LIMITS.syncs && this.tokens >= 1 && this.queue.length > 0) {
      const { question, resolve } = this.queue.shift()!
      this.flying++
      this.tokens--
      const done = () => {
        if (link !== this.link) return
        this.flying--
        this.pump()
      }
      const page = link.call(question)
      page.then(done, done)
      resolve(page as Promise<Page | ErrorFrame>)
    }
    if (this.tokens < 1 && this.queue.length > 0)
      this.timer ??= runtime.setTimer(
        () => {
          this.timer = undefined
          this.pump()
        },
        ((1 - this.tokens) * 1_000) / RATE,
      )
  }
}
