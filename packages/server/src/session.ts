import type { ClientFrame, Problem, ServerFrame, SocketLike, WireErrorCode } from '@kithwire/protocol'
import { decodeClientFrame, newId, WIRE_ERRORS } from '@kithwire/protocol'
import { Behind } from './behind.js'
import type { Context, Identity } from './context.js'
import { Credentials } from './credentials.js'
import { dispatch } from './dispatch.js'
import { frameText } from './frame-text.js'
import { greet } from './handlers/hello.js'
import { IdleTimer } from './heartbeat.js'
import type { LogFields } from './log.js'
import { PeerSocket } from './peer-socket.js'
import type { Push } from './push.js'
import { WindowCount } from './rate-limit.js'
import { overRate } from './refusals.js'
import { type DevicePeer, deviceKey, deviceOf } from './session-registry.js'
import { OPENING, type SessionEffect, type SessionEvent, type SessionState, transition } from './session-state.js'
import { SocketEvents } from './socket-events.js'
import { PAUSE_MS, type WheelTimer } from './timer-wheel.js'

const NONE: readonly string[] = []

/** One `kithwire.v1` socket: frames in and out, in order and within the limits, and what belongs to it, until its end. */
export class Session extends PeerSocket implements DevicePeer {
  readonly protocol = 'v1'
  readonly id: string
  key = ''
  attempt = 0
  readonly credentials: Credentials
  /** `sync` requests under way. */
  syncs = 0
  private state: SessionState = OPENING
  /** Conversations with a send in flight: none or one, as a rule, and a list made anew is cheaper than a Set. */
  private sending = NONE
  private held: ClientFrame[] | undefined
  private badFrames: WindowCount | undefined
  private madeBehind: Behind | undefined
  private readonly idleTimer: IdleTimer
  private opening: WheelTimer | undefined

  constructor(context: Context, socket: SocketLike, identity: Identity) {
    super(context, socket, identity.user)
    this.id = newId(context.runtime)
    // With other nodes it keeps account of what the device was told of, from the start.
    if (context.link) this.madeBehind = new Behind(context, this)
    this.credentials = new Credentials(context, identity, this)
    this.idleTimer = new IdleTimer(this, context)
    this.awaitHello()
    context.registry.add(this)
    context.registry.opening.add(this)
    socket.listen(new SocketEvents(this))
  }

  private get behind(): Behind {
    this.madeBehind ??= new Behind(this.context, this)
    return this.madeBehind
  }

  get live(): boolean {
    return this.state.name !== 'closed'
  }

  get device(): string {
    return deviceOf(this.key)
  }

  /** Who it is, as its hello says. */
  identify(device: string, attempt: number): void {
    this.attempt = attempt
    this.key = deviceKey(this.user, device)
  }

  /** False if a send is in flight in this conversation. */
  beginSend(conversation: string): boolean {
    if (this.sending.includes(conversation)) return false
    this.sending = [...this.sending, conversation]
    return true
  }

  endSend(conversation: string): void {
    const left = this.sending.filter((other) => other !== conversation)
    this.sending = left.length > 0 ? left : NONE
  }

  get takesFrames(): boolean {
    return this.state.name === 'ready' && this.outbound.clear
  }

  abuse(): void {
    this.close(4029, 'far too many frames')
  }

  overflow(): void {
    this.close(4008, 'reads too slowly')
  }

  override drained(): void {
    this.madeBehind?.flush()
  }

  idle(): void {
    if (this.state.name === 'ready') this.send({ t: 'heartbeat', now: this.context.runtime.now() })
  }

  override credentialsExpired(): void {
    if (this.state.name === 'ready') this.error('token_expired')
  }

  send(frame: ServerFrame): void {
    if (!this.live) return
    this.count(frame)
    if (frame.t === 'ack' && frame.items.length > 0) this.madeBehind?.covers(frame.conversation)
    this.outbound.send(frameText(frame))
  }

  /** A no is counted, and one that trying again does not change is written down: who gets many of them tries things. */
  private count(frame: ServerFrame): void {
    const code = frame.t === 'error' ? frame.code : 'refused' in frame ? frame.refused?.code : undefined
    if (code === undefined) return
    this.context.stats.add(`refused_${code}`)
    if (!WIRE_ERRORS[code].retry) this.note(code, {}, 'info')
  }

  error(code: WireErrorCode, re?: number, message: string = WIRE_ERRORS[code].message, fatal = false): void {
    this.send({ t: 'error', ...(re !== undefined && { re }), code, message, fatal })
  }

  push(push: Push): void {
    const ready = this.state.name === 'ready'
    const { stats, limits } = this.context
    const signal = push.kind === 'signal'
    // A signal needs no head in front of it.
    if (ready && !signal && this.madeBehind?.covers(push.conversation)) stats.add('pushes_skipped')
    else if (ready && (signal ? this.outbound.buffered <= limits.signalBuffer : !this.outbound.slow)) {
      for (const text of push.frames()) this.outbound.send(text)
    } else {
      if (ready) stats.add(signal ? 'signals_dropped' : 'pushes_skipped')
      if (!signal) this.behind.add(push.conversation)
    }
  }

  unaware(conversation: string): boolean {
    return this.madeBehind?.unaware(conversation) === true
  }

  introduce(conversation: string, known = true): void {
    this.madeBehind?.introduce(conversation, known)
  }

  missed(conversation: string): void {
    this.behind.add(conversation)
    this.behind.flush()
  }

  /** The last `welcome` was sent: from here on pushes go out as they come. */
  welcomed(): void {
    this.apply({ type: 'welcomed' })
  }

  drain(spread: number): void {
    if (this.state.name === 'ready') this.send({ t: 'drain', spread })
  }

  close(code: number, reason: string): void {
    this.apply({ type: 'end', code, reason })
  }

  protected override get names(): LogFields {
    return { session: this.id, user: this.user }
  }

  /** Logs what nobody expected, at most once a minute for each event. */
  failure(event: string, cause: unknown): void {
    this.context.stats.add(event)
    this.context.log.failure(event, cause, this.names, this.throttle)
  }

  received(text: string | null): void {
    if (!this.live) return
    if (text === null) this.apply({ type: 'binary' })
    else this.read(text)
  }

  private read(text: string): void {
    const { limits, stats } = this.context
    const bytes = Buffer.byteLength(text)
    if (bytes > limits.frame) {
      this.close(1009, 'a frame beyond the limit')
      return
    }
    const decoded = decodeClientFrame(text, limits)
    const within = this.inbound.frame(bytes, decoded.ok && decoded.frame.t === 'hello')
    if (!this.live) return
    if (!within) {
      stats.add('frames_over_rate')
      // Before `welcome` nothing may be answered, and nothing may be left out.
      if (this.state.name !== 'ready') this.close(4029, 'far too many frames')
      const answer = overRate(decoded, this.inbound.wait())
      if (answer) this.send(answer)
    } else if (decoded.ok) this.apply({ type: 'frame', frame: decoded.frame })
    else this.refuse(decoded.problem)
  }

  private refuse(problem: Problem): void {
    this.context.stats.add(problem.code === 'unknown_type' ? 'frames_unknown' : 'frames_bad')
    this.note(problem.code, { problem: problem.message })
    const { limits, runtime } = this.context
    this.badFrames ??= new WindowCount(limits.badFrames)
    const limit = problem.code === 'bad_frame' && this.badFrames.hit(runtime.monotonic())
    this.apply({ type: 'problem', problem, limit })
  }

  private apply(event: SessionEvent): void {
    const [state, effects] = transition(this.state, event)
    // A report goes out before the close that it explains; and it may itself be the frame that fills the buffer.
    for (const effect of effects) if (effect.do === 'report') this.report(effect.problem, effect.fatal)
    if (!this.live) return
    this.state = state
    for (const effect of effects) this.perform(effect, event)
  }

  private perform(effect: SessionEffect, event: SessionEvent): void {
    switch (effect.do) {
      case 'greet':
        this.inbound.pause('greeting')
        this.context.wheel.clear(this.opening)
        this.opening = undefined
        this.context.registry.opening.delete(this)
        greet(this.context, this, effect.hello).catch((cause) => this.fail('hello_failed', cause))
        return
      case 'hold':
        this.held ??= []
        if (event.type === 'frame') this.held.push(event.frame)
        return
      case 'release':
        this.release()
        this.inbound.resume('greeting')
        if (this.credentials.expired) this.error('token_expired')
        this.madeBehind?.flush()
        return
      case 'dispatch':
        if (event.type === 'frame') dispatch(this.context, this, event.frame)
        return
      case 'close':
        this.finish(effect.code, effect.reason)
    }
  }

  private release(): void {
    const { held } = this
    this.held = undefined
    for (const frame of held ?? []) dispatch(this.context, this, frame)
  }

  private report(problem: Problem, fatal: boolean): void {
    this.error(problem.code, problem.re, problem.message, fatal)
  }

  private fail(event: string, cause: unknown): void {
    if (!this.live) return
    this.failure(event, cause)
    this.close(1011, 'the server failed')
  }

  private awaitHello(): void {
    this.opening = this.context.wheel.set((late) => {
      if (late > PAUSE_MS) this.awaitHello()
      else this.close(4005, 'no hello in time')
    }, this.context.limits.helloMs)
  }

  protected left(code: number): void {
    this.state = { name: 'closed', code, reason: 'the socket closed' }
  }

  protected letGo(): void {
    const { queue, registry, wheel } = this.context
    wheel.clear(this.opening)
    this.idleTimer.stop()
    this.madeBehind?.stop()
    this.held = undefined
    registry.opening.delete(this)
    registry.release(this)
    queue.discard(this)
  }
}
