import { KithwireError, type KithwireErrorCode } from '@kithwire/protocol'
import type { ConnectionPhase } from './connection-state.js'

/**
 * What the clients over one store say to each other. Each message may be lost, and one of another version may mean
 * nothing here.
 */
export type TabMessage =
  /** I follow: who leads? */
  | { say: 'who' }
  /** I lead, and this is what my connection does; `following`: I do not lead any more. */
  | { say: 'phase'; phase: ConnectionPhase; user: string | undefined }
  | { say: 'ask'; n: number; call: string; args: readonly unknown[] }
  | { say: 'answer'; to: string; n: number; value?: unknown; error?: { code: KithwireErrorCode; message: string } }

export interface TabHooks {
  /** Tells this client from the others. */
  id: string
  user(): string | undefined
  tell(message: TabMessage): void
  /** Does what was asked for, here. */
  perform(call: string, args: readonly unknown[]): Promise<unknown>
  /** Another phase is to be shown. */
  shown(phase: ConnectionPhase, before: ConnectionPhase): void
  /** A client has begun, or begun to lead: what one before it was about to tell was perhaps never told. */
  missed(): void
}

interface Asked {
  call: string
  args: readonly unknown[]
  resolve(value: unknown): void
  reject(error: unknown): void
}

const leads = (phase: ConnectionPhase) =>
  phase === 'waiting' || phase === 'connecting' || phase === 'greeting' || phase === 'online'

/**
 * Lets a client without a connection of its own do through the one that leads what needs a connection. Nothing else
 * depends on it: two that lead, or none, only cost connections or time.
 */
export class Tabs {
  /** What is shown of the connection: one's own, or that of the client that leads. */
  phase: ConnectionPhase = 'idle'
  private own: ConnectionPhase = 'idle'
  private leader: { from: string; phase: ConnectionPhase; user: string | undefined } | undefined
  private readonly asked = new Map<number, Asked>()
  private n = 0

  constructor(private readonly hooks: TabHooks) {}

  /** The user, as the client that leads was told. */
  get user(): string | undefined {
    return this.leader?.user
  }

  /** Whether another client has the connection, as far as this one knows. */
  get follows(): boolean {
    return this.own === 'following'
  }

  /** This client's connection went into another phase. */
  moved(phase: ConnectionPhase): void {
    const led = leads(this.own)
    this.own = phase
    if (leads(phase) || led) this.tellPhase()
    if (phase === 'following') this.hooks.tell({ say: 'who' })
    else {
      for (const { call, args, resolve, reject } of this.asked.values())
        this.hooks.perform(call, args).then(resolve, reject)
      this.asked.clear()
    }
    this.show()
  }

  /** Looks again who leads, and after what was stored: a page that slept or was put aside has heard nothing of it. */
  look(): void {
    this.hooks.tell({ say: 'who' })
    this.hooks.missed()
  }

  /** Has the client that leads do something; if that one ends, the next, which may be this one. */
  ask(call: string, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.asked.set(++this.n, { call, args, resolve, reject })
      this.hooks.tell({ say: 'ask', n: this.n, call, args })
    })
  }

  hear(from: string, message: TabMessage): void {
    if (from === this.hooks.id) return
    switch (message.say) {
      case 'who':
        if (!leads(this.own)) return
        this.tellPhase()
        this.hooks.missed()
        break
      case 'phase':
        this.heed(from, message.phase, message.user)
        break
      case 'ask':
        if (leads(this.own)) this.answer(from, message.n, this.hooks.perform(message.call, message.args))
        break
      case 'answer': {
        const asked = message.to === this.hooks.id && this.asked.get(message.n)
        if (!asked) return
        this.asked.delete(message.n)
        const { error } = message
        if (error) asked.reject(new KithwireError(error.code, error.message))
        else asked.resolve(message.value)
      }
    }
  }

  /** Everything that was heard was said over another store. */
  forget(): void {
    this.leader = undefined
    this.show()
  }

  private heed(from: string, phase: ConnectionPhase, user: string | undefined): void {
    const before = this.leader
    if (leads(phase)) this.leader = { from, phase, user }
    else if (before?.from === from) this.leader = undefined
    if (this.leader && before?.from !== from)
      for (const [n, { call, args }] of this.asked) this.hooks.tell({ say: 'ask', n, call, args })
    this.show()
    if (phase === 'online' && this.follows) this.hooks.missed()
  }

  private answer(to: string, n: number, done: Promise<unknown>): void {
    done.then(
      (value) => this.hooks.tell({ say: 'answer', to, n, value }),
      (error: unknown) => {
        // What failed because this client gives up is asked of the next one.
        if (!leads(this.own)) return
        const { code, message } = error instanceof KithwireError ? error : new KithwireError('internal')
        this.hooks.tell({ say: 'answer', to, n, error: { code, message } })
      },
    )
  }

  private tellPhase(): void {
    const phase = leads(this.own) ? this.own : 'following'
    this.hooks.tell({ say: 'phase', phase, user: this.hooks.user() })
  }

  private show(): void {
    const before = this.phase
    this.phase = this.follows && this.leader ? this.leader.phase : this.own
    if (this.phase !== before) this.hooks.shown(this.phase, before)
  }
}
