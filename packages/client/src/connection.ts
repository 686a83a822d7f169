import {
  type ClientFrame,
  decodeServerFrame,
  type HeadTuple,
  KithwireError,
  offer,
  type ServerFrame,
  type Timer,
  type Welcome,
} from '@kithwire/protocol'
import { backoff, between } from './backoff.js'
import { type ConnectionEffect, type ConnectionEvent, type ConnectionState, INITIAL, next } from './connection-state.js'
import { Credentials } from './credentials.js'
import { PROBE_MS, Watchdog } from './heartbeat.js'
import { Link } from './link.js'
import type { ResolvedOptions, TokenSource } from './options.js'

/** Ms that a connection must hold before the backoff starts again at its first window. */
const STEADY_MS = 10_000

export interface ConnectionHooks {
  /** Asks the store for the right to connect; see `ClientStore.lead`. */
  lead(granted: () => void): () => void
  /** Raises the attempt, before the socket is opened. True if another client of this store connected in between. */
  prepare(replaced: number): Promise<boolean>
  /** The frames of `hello`. */
  hello(forget: boolean): Promise<ClientFrame[]>
  /** All of a `welcome`, however many frames it took. */
  welcome(link: Link, welcome: Welcome): void
  /** Any other frame that answers nothing. */
  frame(link: Link, frame: ServerFrame): void
  /** A socket ended; whatever was asked on it has an unknown outcome. */
  lost(code: number): void
  draining(): void
  /** This page woke up while another client has the connection. */
  woken(): void
  state(to: ConnectionState, from: ConnectionState): void
  error(error: KithwireError): void
}

/** Keeps one socket open: applies the effects of connection-state.ts, the only place that changes the state. */
export class Connection {
  private state: ConnectionState = INITIAL
  private readonly events: ConnectionEvent[] = []
  private link = new Link()
  private heads: HeadTuple[] = []
  private watchdog: Watchdog | undefined
  private release: (() => void) | undefined
  private timer: Timer
  private due = 0
  private deadline: Timer
  private steady: Timer
  private probing: Promise<number> | undefined
  private readonly credentials: Credentials
  private readonly unlisten: () => void

  constructor(
    private readonly options: ResolvedOptions,
    private readonly hooks: ConnectionHooks,
  ) {
    this.link.live = false
    this.credentials = new Credentials(options.token)
    this.unlisten = options.wakeups.listen((why) => this.wake(why))
  }

  get phase(): ConnectionState['phase'] {
    return this.state.phase
  }

  get current(): ConnectionState {
    return this.state
  }

  /** Events that effects or listeners cause wait for their turn, so that every change is told in its order. */
  dispatch(event: ConnectionEvent): void {
    if (this.events.push(event) > 1) return
    for (let current = this.events[0]; current; current = this.events[0]) {
      const from = this.state
      const [to, effects] = next(from, current)
      this.state = to
      if (to.phase === 'stopped' || to.phase === 'closed' || to.phase === 'following')
        this.options.runtime.clearTimer(this.timer)
      for (const effect of effects) this.perform(effect)
      if (to.phase !== from.phase) this.hooks.state(to, from)
      if (to.phase === 'closed') this.unlisten()
      this.events.shift()
    }
  }

  /** New credentials: for the socket that is open, or for the next one, which is the next thing if they are no token. */
  authenticate(token: TokenSource | undefined): void {
    this.credentials.replace(token)
    if (this.phase === 'stopped') this.dispatch({ type: 'start' })
    else if (this.phase === 'online') this.refresh(() => this.dispatch({ type: 'failed', reason: 'new credentials' }))
  }

  /**
   * Asks the server for a sign of life. Resolves with the ms it took; without one within 3 s the socket is given up.
   *
   * @throws KithwireError `bad_state` when not online, `unknown_outcome` without an answer
   */
  probe(): Promise<number> {
    if (this.phase !== 'online') return Promise.reject(new KithwireError('bad_state', 'Expected to be online.'))
    this.probing ??= this.ping(this.link).finally(() => {
      this.probing = undefined
    })
    return this.probing
  }

  private async ping(link: Link): Promise<number> {
    const { runtime } = this.options
    const start = runtime.monotonic()
    const timer = runtime.setTimer(() => {
      if (link.live) this.dispatch({ type: 'silent' })
    }, PROBE_MS)
    try {
      await link.call({ t: 'ping' })
    } finally {
      runtime.clearTimer(timer)
    }
    return runtime.monotonic() - start
  }

  private wake(why: 'online' | 'visible'): void {
    if (this.phase === 'online') this.probe().catch(() => {})
    else if (this.phase === 'following') this.hooks.woken()
    else if (why === 'online') this.dispatch({ type: 'online' })
    // Timers of a page that slept are late.
    else if (this.phase === 'waiting' && this.options.runtime.now() >= this.due) this.elapse()
  }

  private perform(effect: ConnectionEffect): void {
    const { runtime } = this.options
    switch (effect.do) {
      case 'lead':
        this.lead()
        break
      case 'yield':
        this.release?.()
        this.release = undefined
        break
      case 'open':
        this.open().catch((error: unknown) => this.fail(error))
        break
      case 'hello':
        this.greet(this.link).catch((error: unknown) => this.fail(error))
        break
      case 'wait': {
        const random = () => runtime.random()
        const { tries = 0, bounds, exact } = effect
        const ms = exact && bounds ? between(random, bounds) : backoff(random, tries, bounds)
        runtime.clearTimer(this.timer)
        this.due = runtime.now() + ms
        this.timer = runtime.setTimer(() => this.elapse(), ms)
        break
      }
      case 'steady':
        this.steady = runtime.setTimer(() => this.dispatch({ type: 'held' }), STEADY_MS)
        break
      case 'drop':
        this.drop(effect.code, effect.reason)
        break
      case 'error':
        this.hooks.error(new KithwireError(effect.code, effect.reason || undefined))
    }
  }

  private elapse(): void {
    this.options.runtime.clearTimer(this.timer)
    this.dispatch({ type: 'elapsed' })
  }

  private lead(): void {
    let over = false
    const release = this.hooks.lead(() => {
      // Not within the transition that asked for it.
      void Promise.resolve().then(() => {
        if (!over) this.dispatch({ type: 'led' })
      })
    })
    this.release = () => {
      over = true
      release()
    }
  }

  private async open(): Promise<void> {
    const { runtime, socket, url, connectTimeoutMs } = this.options
    const link = new Link()
    const { version } = this.credentials
    this.link = link
    this.heads = []
    this.deadline = runtime.setTimer(() => this.dispatch({ type: 'silent' }), connectTimeoutMs)
    try {
      const token = await this.credentials.ask()
      if (!link.live) return
      if (await this.hooks.prepare(this.state.replaced)) this.dispatch({ type: 'contested' })
      if (!link.live) return
      link.socket = socket(url, offer(token))
    } catch (error) {
      if (link.live) throw error
      return
    }
    const current = (run: () => void) => link.live && run()
    link.socket.listen({
      open: () => current(() => this.dispatch({ type: 'opened', protocol: link.socket!.protocol })),
      message: (text) => current(() => this.receive(link, text)),
      close: (code, reason) =>
        current(() => {
          if (this.phase === 'connecting' && reason === 'HTTP 404')
            this.hooks.error(new KithwireError('not_found', `Expected a Kithwire server at ${url}, came HTTP 404.`))
          this.part(code)
          // There are newer credentials than those that were refused, perhaps of another user: they are tried first.
          const older = (code === 4501 || code === 4503) && version !== this.credentials.version
          this.dispatch({ type: 'closed', code: older ? 4001 : code, reason })
        }),
    })
  }

  private async greet(link: Link): Promise<void> {
    const frames = await this.hooks.hello(this.state.forget)
    for (const frame of frames) link.post(frame)
  }

  private receive(link: Link, text: string | null): void {
    this.watchdog?.alive()
    if (text === null || !link.live) return
    const decoded = decodeServerFrame(text)
    if (!decoded.ok) {
      const { code, re, message } = decoded.problem
      if (re !== undefined) link.garbled(re, message)
      else if (code !== 'unknown_type') this.hooks.error(new KithwireError('protocol_violation', message))
      return
    }
    const { frame } = decoded
    if (link.answer(frame)) return
    if (frame.t === 'welcome') this.welcome(link, frame)
    else if (this.phase !== 'online') return
    else if (frame.t === 'drain') {
      this.hooks.draining()
      this.dispatch({ type: 'drain', spread: frame.spread })
    } else if (frame.t === 'error') {
      if (frame.code === 'token_expired' && this.credentials.renewable) this.refresh()
      else {
        this.hooks.frame(link, frame)
        this.hooks.error(new KithwireError(frame.code, frame.message))
      }
    } else if (frame.t !== 'heartbeat') this.hooks.frame(link, frame)
  }

  private welcome(link: Link, frame: Welcome): void {
    if (this.phase !== 'greeting') return
    this.heads.push(...frame.heads)
    if (frame.more) return
    this.options.runtime.clearTimer(this.deadline)
    this.watchdog = new Watchdog(this.options.runtime, frame.heartbeat, {
      dead: () => this.dispatch({ type: 'silent' }),
      doubt: () => void this.probe().catch(() => {}),
    })
    this.dispatch({ type: 'welcomed' })
    if (link.live) this.hooks.welcome(link, { ...frame, heads: this.heads })
  }

  private refresh(without: () => void = () => {}): void {
    const { link } = this
    const failed = (error: unknown) => {
      if (link.live) this.hooks.error(asError(error, 'The token function failed.'))
    }
    this.credentials.refresh(link).then((sent) => sent || !link.live || without(), failed)
  }

  private fail(error: unknown): void {
    this.hooks.error(asError(error, 'The token function, the store or the socket factory failed.'))
    this.dispatch({ type: 'failed', reason: error instanceof Error ? error.message : 'failed' })
  }

  private drop(code: number, reason: string): void {
    const { link } = this
    if (!link.live) return
    // Whoever does not answer would not answer a closing handshake either.
    if (code === 1000) link.socket?.close(code, reason)
    else link.socket?.terminate()
    this.part(1006)
  }

  /** The current socket is not current any more. */
  private part(code: number): void {
    const { runtime } = this.options
    runtime.clearTimer(this.deadline)
    runtime.clearTimer(this.steady)
    this.watchdog?.stop()
    this.watchdog = undefined
    this.link.end()
    this.hooks.lost(code)
  }
}

const asError = (error: unknown, message: string) =>
  error instanceof KithwireError ? error : new KithwireError('internal', message, { cause: error })
