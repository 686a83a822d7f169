import { decodeLegacy, type LegacySend, newCid, type SocketLike, utf8Length } from '@kithwire/protocol'
import type { Backlog, Context, Identity } from './context.js'
import { Credentials } from './credentials.js'
import { PeerSocket } from './peer-socket.js'
import type { Push } from './push.js'
import { WindowCount } from './rate-limit.js'
import { SocketEvents } from './socket-events.js'
import type { Outcome } from './store.js'

/** Frames that are read and not yet stored, beyond which the socket is not read. */
const MOST_READ = 16
const MOST_TRIES = 10
const RETRY_MS = [200, 5_000] as const

/**
 * One socket that speaks bare IMessages. It is never answered, so what it sent must not be dropped: it is read more
 * slowly instead, and what was read is stored even if the socket is gone by then.
 */
export class LegacySession extends PeerSocket implements Backlog {
  readonly protocol = 'legacy'
  private over = false
  private readonly inbox: LegacySend[] = []
  private badFrames: WindowCount | undefined
  readonly credentials: Credentials
  private wake: (() => void) | undefined
  private hurried = false

  constructor(context: Context, socket: SocketLike, identity: Identity) {
    super(context, socket, identity.user)
    this.credentials = new Credentials(context, identity, this)
    context.registry.add(this)
    context.registry.startReceiving(this)
    socket.listen(new SocketEvents(this))
  }

  get live(): boolean {
    return !this.over
  }

  abuse(): void {
    this.close(1008, 'far too many frames')
  }

  overflow(): void {
    this.close(1013, 'reads too slowly')
  }

  push(push: Push): void {
    for (const text of push.bare(this.user)) this.sendText(text)
  }

  /** It cannot be told: a bare socket knows nothing but messages. */
  missed(): void {}
  unaware(): boolean {
    return false
  }
  drain(): void {}

  /** Any text of the app's own, as the article's `broadcast` sends it. Best effort. */
  sendText(text: string): void {
    if (!this.live) return
    if (this.outbound.slow) {
      this.context.stats.add('pushes_skipped')
    } else this.outbound.send(text)
  }

  close(code: number, reason: string): void {
    if (!this.live) return
    this.over = true
    this.finish(code, reason)
  }

  hurry(): void {
    this.hurried = true
    this.wake?.()
  }

  received(text: string | null): void {
    if (!this.live) return
    this.inbound.frames++
    if (text === null) this.close(1003, 'binary frames are not supported')
    else if (utf8Length(text) > this.context.limits.frame) this.close(1009, 'a frame beyond the limit')
    else {
      const decoded = decodeLegacy(text, this.context.limits)
      if (decoded.ok) this.enqueue(decoded.message)
      else this.drop('legacy_bad_frame', decoded.problem)
    }
  }

  private enqueue(message: LegacySend): void {
    this.inbox.push(message)
    if (this.inbox.length >= MOST_READ) this.inbound.pause('inbox')
    if (!this.context.backlogs.has(this)) void this.work()
  }

  /** One at a time: what one socket sends keeps its order. */
  private async work(): Promise<void> {
    this.context.backlogs.add(this)
    for (let message = this.inbox.shift(); message !== undefined; message = this.inbox.shift()) {
      await this.pace()
      await this.keep(message)
      if (this.inbox.length <= MOST_READ / 2) this.inbound.resume('inbox')
    }
    this.context.backlogs.delete(this)
  }

  private async pace(): Promise<void> {
    for (;;) {
      const { granted, after } = this.context.rates.take(this.user, 1)
      if (granted === 1 || this.hurried) return
      await this.sleep(after)
    }
  }

  /** Stores one, again and again while the store fails; in the end it is lost, and the log says so. */
  private async keep({ friend, to, content, type }: LegacySend): Promise<void> {
    const { authorizer, fanOut, log, queue, runtime, stats } = this.context
    const send = { conversation: friend, from: this.user, items: [{ cid: newCid(runtime), type, content }] }
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      try {
        const access = await authorizer.check(friend, this.user)
        const friends = access.members?.includes(to) && to !== this.user
        if (access.refused || !friends) return this.drop('legacy_refused', 'not a friendship of these two')
        const stored = ({ stored: [first] }: Outcome) => {
          // The cid is ours alone: a duplicate is an append of our own that seemed to fail, not yet handed out.
          if (first) fanOut.stored(send, { stored: [{ ...first, duplicate: false }] }, access.members, this)
        }
        if ((await queue.append({ ...send, stored }))?.stored.length === 1) return
      } catch (cause) {
        log.failure('legacy_failed', cause, { user: this.user }, this.throttle)
      }
      if (tries < MOST_TRIES - 1) await this.sleep(Math.min(RETRY_MS[1], RETRY_MS[0] * 2 ** tries))
    }
    stats.add('legacy_lost')
    log.write('error', 'legacy_lost', { user: this.user })
  }

  private drop(event: 'legacy_bad_frame' | 'legacy_refused', problem: string): void {
    this.context.stats.add(event)
    this.note(event, { problem })
    if (event !== 'legacy_bad_frame') return
    const { limits, runtime } = this.context
    this.badFrames ??= new WindowCount(limits.badLegacyFrames)
    if (this.badFrames.hit(runtime.monotonic())) this.close(1008, 'too many frames that cannot be read')
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.context.wheel.set(() => this.wake?.(), ms)
      this.wake = () => {
        this.context.wheel.clear(timer)
        this.wake = undefined
        resolve()
      }
    })
  }

  protected left(): void {
    this.over = true
  }

  protected letGo(): void {}
}
