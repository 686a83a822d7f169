import type { ClientFrame, Problem, ServerFrame, SocketLike, WireErrorCode } from '@kithwire/protocol'
import { CLOSE_CODES, decodeClientFrame, encode, newId, utf8Length, WIRE_ERRORS } from '@kithwire/protocol'
import { Behind } from './behind.js'
import type { Context, Identity } from './context.js'
import { Credentials } from './credentials.js'
import { dispatch } from './dispatch.js'
import type { Push } from './fan-out.js'
import { farewell, isFault } from './farewell.js'
import { ackText } from './frame-text.js'
import { greet } from './handlers/hello.js'
import { Heartbeat, IdleTimer } from './heartbeat.js'
import { Inbound } from './inbound.js'
import type { LogLevel, LogThrottle } from './log.js'
import { Outbound } from './outbound.js'
import { WindowCount } from './rate-limit.js'
import { overRate } from './refusals.js'
import { type DevicePeer, deviceKey } from './session-registry.js'
import { OPENING, type SessionEffect, type SessionEvent, type SessionState, transition } from './session-state.js'
import { PAUSE_MS, type WheelTimer } from './timer-wheel.js'

/** One `kithwire.v1` socket: frames in and out, in order and within the limits, and what belongs to it, until its end. */
export class Session implements DevicePeer {
  readonly protocol = 'v1'
  readonly id: string
  readonly user: string
  device = ''
  attempt = 0
  readonly inbound: Inbound
  readonly outbound: Outbound
  readonly credentials: Credentials
  /** Conversations with a send in flight. */
  readonly sending = new Set<string>()
  /** `sync` requests under way. */
  syncs = 0
  private state: SessionState = OPENING
  private readonly held: ClientFrame[] = []
  private readonly badFrames: WindowCount
  private readonly behind: Behind
  private readonly heartbeat: Heartbeat
  private readonly idle: IdleTimer
  private readonly throttle: LogThrottle = {}
  private opening: WheelTimer | undefined
  private linger: WheelTimer | undefined

  constructor(
    private readonly context: Context,
    private readonly socket: SocketLike,
    identity: Identity,
  ) {
    const { limits, registry, runtime, wheel } = context
    this.id = newId(runtime)
    this.user = identity.user
    this.badFrames = new WindowCount(limits.badFrames)
    this.inbound = new Inbound(socket, runtime, limits, () => this.close(4029, 'far too many frames'))
    this.outbound = new Outbound({
      socket,
      runtime,
      wheel,
      limits,
      overflow: () => this.close(4008, 'reads too slowly'),
      drained: () => this.behind.flush(),
    })
    this.behind = new Behind(
      context,
      this,
      () => this.state.name === 'ready' && this.outbound.clear,
      (frame) => this.send(frame),
      (cause) => this.failure('behind_failed', cause),
    )
    this.credentials = new Credentials(context, identity, {
      expired: () => this.state.name === 'ready' && this.error('token_expired'),
      end: () => this.close(4001, 'the token expired'),
    })
    const { outbound } = this
    this.heartbeat = new Heartbeat(
      { inbound: this.inbound, ping: () => socket.ping?.(), dead: () => this.close(4003, 'no pong') },
      { wheel, runtime, heartbeatMs: limits.heartbeatMs, deadMs: limits.deadMs },
    )
    this.idle = new IdleTimer(
      wheel,
      runtime,
      limits.heartbeatMs,
      () => outbound.lastSent,
      () => this.state.name === 'ready' && this.send({ t: 'heartbeat', now: runtime.now() }),
    )
    this.awaitHello()
    registry.add(this)
    registry.opening.add(this)
    socket.listen({
      message: (text) => this.receive(text),
      alive: () => this.live && this.inbound.alive(),
      close: (code) => this.gone(code),
    })
  }

  /** False from the moment that it was closed, by whichever side. */
  get live(): boolean {
    return this.state.name !== 'closed'
  }

  get key(): string {
    return deviceKey(this.user, this.device)
  }

  send(frame: ServerFrame): void {
    if (!this.live) return
    this.count(frame)
    if (frame.t === 'ack' && frame.items.length > 0) this.behind.covers(frame.conversation)
    this.outbound.send(frame.t === 'ack' ? ackText(frame) : encode(frame))
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
    if (ready && !signal && this.behind.covers(push.conversation)) stats.add('pushes_skipped')
    else if (ready && (signal ? this.outbound.buffered <= limits.signalBuffer : !this.outbound.slow)) {
      for (const text of push.frames()) this.outbound.send(text)
    } else {
      if (ready) stats.add(signal ? 'signals_dropped' : 'pushes_skipped')
      if (!signal) this.behind.add(push.conversation)
    }
  }

  unaware(conversation: string): boolean {
    return this.behind.unaware(conversation)
  }

  introduce(conversation: string, known = true): void {
    this.behind.introduce(conversation, known)
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

  terminate(): void {
    this.socket.terminate()
  }

  /** Logs, at most once a minute for each event. */
  note(event: string, fields: { [name: string]: string | number } = {}, level: LogLevel = 'warn'): void {
    const { id: session, user } = this
    const { address } = this.credentials
    this.context.log.write(level, event, { session, user, address, ...fields }, this.throttle)
  }

  /** Logs what nobody expected, at most once a minute for each event. */
  failure(event: string, cause: unknown): void {
    this.context.stats.add(event)
    this.context.log.failure(event, cause, { session: this.id, user: this.user }, this.throttle)
  }

  private receive(text: string | null): void {
    if (!this.live) return
    if (text === null) this.apply({ type: 'binary' })
    else this.read(text)
  }

  private read(text: string): void {
    const { limits, stats } = this.context
    const bytes = utf8Length(text)
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
    const limit = problem.code === 'bad_frame' && this.badFrames.hit(this.context.runtime.monotonic())
    this.apply({ type: 'problem', problem, limit })
  }

  private apply(event: SessionEvent): void {
    const [state, effects] = transition(this.state, event)
    // A report goes out before the close that it explains; and it may itself be the frame that fills the buffer.
    for (const effect of effects) if (effect.do === 'report') this.report(effect.problem, effect.fatal)
    if (!this.live) return
    this.state = state
    for (const effect of effects) this.perform(effect)
  }

  private perform(effect: SessionEffect): void {
    switch (effect.do) {
      case 'greet':
        this.inbound.pause('greeting')
        this.context.wheel.clear(this.opening)
        this.context.registry.opening.delete(this)
        greet(this.context, this, effect.hello).catch((cause) => this.fail('hello_failed', cause))
        return
      case 'hold':
        this.held.push(effect.frame)
        return
      case 'release':
        for (const frame of this.held.splice(0)) dispatch(this.context, this, frame)
        this.inbound.resume('greeting')
        if (this.credentials.expired) this.error('token_expired')
        this.behind.flush()
        return
      case 'dispatch':
        dispatch(this.context, this, effect.frame)
        return
      case 'close':
        this.finish(effect.code, effect.reason)
    }
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

  /** Our side of the end: nothing comes in or goes out any more. */
  private finish(code: number, reason: string): void {
    const { wheel, stats } = this.context
    this.letGo()
    stats.add(`closed_${code}`)
    if (code !== 1000 && code !== 1012) this.note('closed', { code, reason })
    this.linger = farewell(this.socket, this.inbound, wheel, code, reason)
  }

  /** The socket's own end. */
  private gone(code: number): void {
    if (this.state.name !== 'closed') {
      this.state = { name: 'closed', code, reason: 'the socket closed' }
      this.context.stats.add(Object.hasOwn(CLOSE_CODES, code) ? `left_${code}` : 'left_other')
      if (isFault(code)) this.note('left', { code })
      this.letGo()
    }
    this.context.wheel.clear(this.linger)
    this.context.registry.remove(this)
  }

  private letGo(): void {
    const { queue, registry, wheel } = this.context
    wheel.clear(this.opening)
    this.heartbeat.stop()
    this.idle.stop()
    this.credentials.stop()
    this.behind.stop()
    this.held.length = 0
    registry.opening.delete(this)
    registry.stopReceiving(this)
    registry.release(this)
    queue.discard(this)
    this.outbound.stop()
  }
}
