import {
  contentSize,
  DEFAULT_LIMITS,
  isId,
  isText,
  isType,
  KithwireError,
  type Limits,
  type MessageMeta,
  type MessageRef,
  type MessageType,
  newCid,
  newId,
  type Welcome,
} from '@kithwire/protocol'
import { type AbortSignalLike, abortable } from './abort.js'
import { Account } from './account.js'
import type { ClientStore } from './client-store.js'
import { Connection } from './connection.js'
import type { ConnectionState } from './connection-state.js'
import type { Emit, OutgoingItem, Sent } from './events.js'
import { type HistoryOptions, type HistoryPage, readHistory } from './history.js'
import type { Link } from './link.js'
import type { ResolvedOptions } from './options.js'
import type { ListenOptions, MessageListener } from './subscriptions.js'
import { Tabs } from './tabs.js'

/** A message to send. */
export interface SendInput {
  /** The conversation, which for two friends is the id of their friendship. */
  conversation: string
  content: string
  /** @default 'text' */
  type?: MessageType
  /** The author and cid of the entry that this one is about. */
  ref?: MessageRef
  /** Extra data, JSON of at most four levels. Counts against the limit of the content. */
  meta?: MessageMeta
  /**
   * An id of the app's own, for a send that must not be doubled even when the app itself repeats it: with the same cid
   * the same message is stored once, for ever.
   *
   * @default a new UUIDv7
   */
  cid?: string
  /** Ends the waiting. What is queued by then stays queued, and may still be sent. */
  signal?: AbortSignalLike
}

type Listening = { run: MessageListener; options: ListenOptions | undefined; stop: () => void }

/** Joins the connection and the account of whoever the server says we are. */
export class Core {
  readonly connection: Connection
  readonly tabs: Tabs
  private account: Account
  private readonly listening = new Set<Listening>()
  private readonly waiters = new Set<{ resolve(): void; reject(error: KithwireError): void }>()
  private link: Link | undefined
  private limits: Limits = DEFAULT_LIMITS
  private failure: KithwireError | undefined

  constructor(
    private readonly options: ResolvedOptions,
    private readonly emit: Emit,
  ) {
    const id = newId(options.runtime)
    this.tabs = new Tabs({
      id,
      user: () => this.user,
      tell: (message) => this.account.store.tell({ kind: 'tab', from: id, message }),
      perform: (call, args) => this.perform(call, args),
      shown: (phase, from) => {
        const { code, reason } = phase === this.connection.phase ? this.connection.current : { code: 0, reason: '' }
        emit('state', phase, { from, code, reason })
        if (phase === 'online' && this.tabs.follows) for (const { resolve } of this.waiters) resolve()
      },
      missed: () => this.account.changes.catchUp(),
    })
    this.account = this.join(options.open(options.user))
    this.connection = new Connection(options, {
      lead: (granted) => this.account.store.lead(granted),
      prepare: (replaced) => this.account.prepare(replaced),
      hello: (forget) => this.account.hello(forget),
      welcome: (link, welcome) => {
        this.welcome(link, welcome).catch((cause: unknown) => {
          emit('error', new KithwireError('store_failed', undefined, { cause }))
          if (link.live) this.connection.dispatch({ type: 'failed', reason: 'store_failed' })
        })
      },
      frame: (link, frame) => this.account.frame(link, frame),
      draining: () => this.account.draining(),
      woken: () => this.tabs.look(),
      lost: (code) => {
        this.link = undefined
        this.account.lost(code)
      },
      state: (to) => this.changed(to),
      error: (error) => {
        this.failure = error
        emit('error', error)
      },
    })
    if (options.autoConnect) this.start()
  }

  start(): void {
    if (this.connection.phase === 'closed')
      throw new KithwireError('bad_state', 'Expected an open client, came one after close(): make a new one.')
    this.connection.dispatch({ type: 'start' })
  }

  send(input: SendInput, to?: string): Promise<Sent> {
    const { signal, conversation, content, type = 'text', ref, meta, cid = newCid(this.options.runtime) } = input
    if (this.connection.phase === 'closed') return Promise.reject(new KithwireError('closed'))
    const wrong = problemOf({ conversation, content, type, cid })
    if (wrong) return Promise.reject(new KithwireError('bad_field', wrong))
    if (contentSize(content, meta) > this.limits.content)
      return Promise.reject(
        new KithwireError('too_large', `Expected at most ${this.limits.content} bytes of content and meta, came more.`),
      )
    if (signal?.aborted) return Promise.reject(new KithwireError('aborted', undefined, { cause: signal.reason }))
    const queuedAt = this.options.runtime.now()
    const item = { conversation, cid, type, content, queuedAt, ...(ref && { ref }), ...(meta && { meta }) }
    return abortable(this.account.send(item, to), signal)
  }

  retry(conversation: string, cid: string): Promise<Sent> {
    if (this.connection.phase === 'closed') return Promise.reject(new KithwireError('closed'))
    const { runtime } = this.options
    return this.account.retry(conversation, cid, { cid: newCid(runtime), queuedAt: runtime.now() })
  }

  outgoing(conversation?: string): Promise<OutgoingItem[]> {
    return this.account.outgoing.rows(conversation)
  }

  listen(run: MessageListener, options?: ListenOptions): () => void {
    const entry: Listening = { run, options, stop: this.account.subscriptions.add(run, options) }
    this.listening.add(entry)
    return () => {
      entry.stop()
      this.listening.delete(entry)
    }
  }

  /** Resolves when online. Rejects when the server refuses, `close()` is called, or the signal aborts. */
  connected(signal?: AbortSignalLike): Promise<void> {
    const { phase } = this.connection
    if (phase === 'closed') return Promise.reject(new KithwireError('closed'))
    if (phase === 'stopped') return Promise.reject(this.failure ?? new KithwireError('bad_state'))
    if (this.link || (this.tabs.follows && this.tabs.phase === 'online')) return Promise.resolve()
    let waiter: { resolve(): void; reject(error: KithwireError): void } | undefined
    const online = new Promise<void>((resolve, reject) => {
      waiter = { resolve, reject }
      this.waiters.add(waiter)
    })
    return abortable(online, signal).finally(() => this.waiters.delete(waiter!))
  }

  async history(conversation: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    const { signal, ...range } = options
    if (!isId(conversation)) throw new KithwireError('bad_field', 'conversation: expected an id.')
    for (;;) {
      await this.connected(signal)
      const { link, tabs } = this
      if (!link && tabs.follows)
        return abortable(tabs.ask('history', [conversation, range]) as Promise<HistoryPage>, signal)
      if (!link) continue
      try {
        return await readHistory(this.account.syncs, link, conversation, options)
      } catch (error) {
        // The socket ended: reading is free to repeat.
        if (!(error instanceof KithwireError && error.code === 'unknown_outcome')) throw error
      }
    }
  }

  async heartbeat(): Promise<number> {
    const { tabs, connection } = this
    return tabs.follows && tabs.phase === 'online' ? (tabs.ask('heartbeat', []) as Promise<number>) : connection.probe()
  }

  /** Marks everything up to `seq`, or all that this device has, as read. */
  async markRead(conversation: string, seq?: number): Promise<void> {
    const { store } = this.account
    const state = await store.conversation(conversation)
    if (!state) return
    await store.move(conversation, { read: Math.min(seq ?? state.applied, state.applied) })
  }

  /** Makes the entries from `seq` on count as unread again. */
  markUnread(conversation: string, seq: number): Promise<void> {
    return this.account.store.move(conversation, { seen: seq - 1 })
  }

  typing(conversation: string, on: boolean): void {
    if (!this.account.signals.news(conversation, on)) return
    if (this.tabs.follows) this.tabs.ask('typing', [conversation, on]).catch(() => {})
    else this.link?.post({ t: 'signal', conversation, kind: 'typing', value: on })
  }

  get user(): string | undefined {
    return this.account.user ?? this.tabs.user ?? this.options.user
  }

  presence(id: string): boolean {
    return this.account.signals.present(id)
  }

  get store() {
    return this.account.store
  }

  async close(): Promise<void> {
    this.connection.dispatch({ type: 'stop' })
    await this.account.close('The client was closed; what was queued stays in its store.')
  }

  private join(store: ClientStore): Account {
    const account: Account = new Account(store, this.options, this.emit, {
      gone: (why) => this.gone(account, why),
      heard: (from, message) => account === this.account && this.tabs.hear(from, message),
    })
    account.subscriptions.add((message) => {
      account.signals.wrote(message.conversation, message.from)
      this.emit('message', message)
    })
    for (const entry of this.listening) entry.stop = account.subscriptions.add(entry.run, entry.options)
    return account
  }

  private async welcome(link: Link, welcome: Welcome): Promise<void> {
    const { user, limits } = welcome
    const mine = await this.account.welcome(link, welcome)
    if (!link.live) return
    if (!mine) return this.move(user)
    this.limits = limits
    this.link = link
    this.tabs.moved('online')
    for (const { resolve } of this.waiters) resolve()
  }

  /** What another client over this store asks of this one. */
  private async perform(call: string, args: readonly unknown[]): Promise<unknown> {
    const [conversation, more] = args as [string, never]
    if (call === 'history') return this.history(conversation, more)
    if (call === 'heartbeat') return this.heartbeat()
    if (call === 'typing') return this.typing(conversation, more)
    throw new KithwireError('bad_state', `Expected a call that is known, came "${call}": reload the other tab.`)
  }

  /** The server says that we are somebody else: nothing of the old user's store may be sent. */
  private async move(user: string): Promise<void> {
    const old = this.account
    const store = this.options.open(user)
    if (store === old.store)
      return this.connection.dispatch({
        type: 'refused',
        code: 4503,
        reason: 'The store belongs to another user: pass `store` as a function of the user.',
      })
    this.account = this.join(store)
    this.tabs.forget()
    this.connection.dispatch({ type: 'moved' })
    await old.close('The server says that this is another user; what was queued stays in the store of the first.')
  }

  /** The store has lost what it held: by mishap, and we begin anew, or because the user signed out. */
  private gone(account: Account, why: 'lost' | 'wiped'): void {
    if (account !== this.account) return
    if (why === 'lost') {
      this.connection.dispatch({ type: 'silent' })
      return
    }
    this.connection.dispatch({ type: 'refused', code: 4501, reason: 'This user has signed out on this device.' })
    account
      .close('This user has signed out; nothing of it is kept.')
      .catch((cause: unknown) => this.emit('error', new KithwireError('store_failed', undefined, { cause })))
    this.account = this.join(this.options.open(this.options.user))
  }

  private changed(to: ConnectionState): void {
    this.tabs.moved(to.phase)
    if (to.phase === 'stopped' || to.phase === 'closed') {
      const error = to.phase === 'closed' ? new KithwireError('closed') : this.failure
      for (const { reject } of this.waiters) reject(error ?? new KithwireError('bad_state'))
    }
  }
}

function problemOf(fields: { conversation: string; content: string; type: string; cid: string }): string | undefined {
  if (!isId(fields.conversation)) return 'conversation: expected 1 to 64 of A-Z a-z 0-9 _ -.'
  if (!isText(fields.content, Number.MAX_SAFE_INTEGER) || fields.content === '')
    return 'content: expected a well-formed text that is not empty.'
  if (!isType(fields.type)) return 'type: expected a lower-case name of at most 32 characters.'
  return isId(fields.cid) ? undefined : 'cid: expected 1 to 64 of A-Z a-z 0-9 _ -.'
}
