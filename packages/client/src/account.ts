import {
  type ClientFrame,
  DEFAULT_LIMITS,
  type IMessage,
  isUserId,
  KithwireError,
  type Limits,
  newId,
  type ServerFrame,
  type Welcome,
  WIRE_ERRORS,
} from '@kithwire/protocol'
import { type ChangeHooks, Changes } from './changes.js'
import type { ClientStore, DeviceIdentity, OutboxItem } from './client-store.js'
import type { Emit, Sent } from './events.js'
import { Inbox } from './inbox.js'
import type { Link } from './link.js'
import type { ResolvedOptions } from './options.js'
import { Outbox } from './outbox.js'
import { Outgoing } from './outgoing.js'
import { Pending } from './pending.js'
import { Places } from './places.js'
import { Receipts } from './receipts.js'
import { helloFrames } from './resume.js'
import { Serial } from './serial.js'
import { Signals } from './signals.js'
import { Subscriptions } from './subscriptions.js'
import { Syncs } from './syncs.js'
import { toldPlace } from './unread.js'

/** Everything of one user on this device: a store, and the parts that work on it. Replaced when the user changes. */
export class Account {
  readonly subscriptions: Subscriptions
  readonly syncs: Syncs
  private readonly inbox: Inbox
  private readonly outbox: Outbox
  private readonly receipts: Receipts
  readonly outgoing: Outgoing
  readonly signals: Signals
  private readonly places: Places
  private readonly pending = new Pending((problem) => this.report(problem))
  /** To whom a conversation goes, where `send` said so. */
  private readonly peers = new Map<string, string>()
  private readonly serial = new Serial()
  readonly changes: Changes
  private readonly unwatch: () => void
  private identity: DeviceIdentity | undefined
  private limits: Limits = DEFAULT_LIMITS
  private link: Link | undefined
  private closed = false

  constructor(
    readonly store: ClientStore,
    private readonly options: ResolvedOptions,
    private readonly emit: Emit,
    hooks: Pick<ChangeHooks, 'gone' | 'heard'>,
  ) {
    const { runtime } = options
    const error = (problem: unknown) => this.report(problem)
    this.syncs = new Syncs(runtime)
    this.receipts = new Receipts(store, runtime, error)
    this.outgoing = new Outgoing(store, (change) => emit('outgoing', change), error)
    this.places = new Places(store, {
      read: (conversation, seq) => emit('read', { conversation, seq }),
      unread: (conversation, unread) => emit('unread', { conversation, unread }),
      error,
    })
    this.signals = new Signals(store, runtime, emit)
    this.subscriptions = new Subscriptions(store, {
      reset: (conversation, to, removed) => emit('reset', { conversation, to, removed }),
      gap: (conversation, from, to) => emit('gap', { conversation, from, to }),
      error: (problem) => this.report(problem, 'A listener failed; see `cause`.', 'internal'),
    })
    this.inbox = new Inbox({
      store,
      runtime,
      serial: this.serial,
      syncs: this.syncs,
      resetting: (conversation, to, removed) => this.subscriptions.suspend(conversation, to, removed),
      resetDone: (conversation) => {
        this.subscriptions.resume(conversation)
        this.receipts.restart(conversation)
        this.outbox.wake(conversation)
      },
      released: (conversation) => this.outbox.wake(conversation),
      applied: (conversation) => this.receipts.touch(conversation),
      error,
    })
    this.outbox = new Outbox({
      store,
      runtime,
      held: (conversation) => this.inbox.holds(conversation),
      flight: (conversation, cids) => store.tell({ kind: 'flight', conversation, cids }),
      acked: (conversation, { cid, seq, id, at }) => this.pending.sent({ conversation, cid, seq, id, at }),
      receive: (link, conversation, items) =>
        this.serial.run(() => this.inbox.receive(link, conversation, this.own(conversation, items))),
      error,
    })
    this.changes = new Changes({
      store,
      emit,
      error,
      ...hooks,
      subscriptions: this.subscriptions,
      outbox: this.outbox,
      outgoing: this.outgoing,
      places: this.places,
      signals: this.signals,
      pending: this.pending,
      receipts: this.receipts,
      online: () => this.link !== undefined,
    })
    this.unwatch = store.watch((change) => this.changes.look(change))
    this.signals.ask()
    this.subscriptions.load().catch(error)
  }

  /** The user, as soon as the server has said who that is. */
  get user(): string | undefined {
    return this.identity?.user
  }

  /** Before each connect. True if another client over this store connected since the last one. */
  async prepare(replaced: number): Promise<boolean> {
    await this.subscriptions.load()
    const { runtime } = this.options
    const before = this.identity
    this.identity = await this.store.attempt(newId(runtime))
    const { device, attempt } = this.identity
    const alone = before?.device === device && before.attempt === attempt - 1
    if (alone && replaced > 1) {
      // Somebody else has our device id, and nobody of ours: this store was copied.
      await this.store.renew(device, newId(runtime))
      this.identity = await this.store.attempt(newId(runtime))
      return true
    }
    return before !== undefined && !alone
  }

  /** Waits for whatever the last socket brought, so that the cursors name what is in the store. */
  hello(forget: boolean): Promise<ClientFrame[]> {
    return this.serial.run(async () => {
      const states = await this.store.conversations()
      return helloFrames(this.identity!, states, this.limits.frame, forget)
    })
  }

  /** Takes a `welcome`, in front of every frame that follows it. False if the store is somebody else's. */
  async welcome(link: Link, welcome: Welcome): Promise<boolean> {
    const { heads, epoch, user, limits } = welcome
    const mine = await this.serial.run(async () => {
      if (!link.live) return true
      if ((await this.store.claim(user)) !== user) return false
      const states = await this.store.meet(heads, { epoch, after: this.subscriptions.wanted() })
      if (!link.live) return true
      this.identity = { ...this.identity!, user, epoch }
      this.limits = limits
      this.link = link
      this.syncs.attach(link)
      this.inbox.welcome(link, heads, states)
      this.receipts.welcome(link, heads, states)
      this.signals.welcome(link)
      return true
    })
    this.changes.catchUp()
    if (mine && link.live) await this.outbox.welcome(link, limits, this.identity!.attempt)
    return mine
  }

  frame(link: Link, frame: ServerFrame): void {
    this.serial.run(() => this.take(link, frame)).catch((error: unknown) => this.report(error))
  }

  private async take(link: Link, frame: ServerFrame): Promise<void> {
    if (!link.live) return
    switch (frame.t) {
      case 'messages':
        return this.inbox.receive(link, frame.conversation, frame.items)
      case 'behind': {
        const states = await this.store.meet(frame.heads)
        if (!link.live) return
        this.inbox.notice(link, frame.heads, states, false)
        this.receipts.notice(frame.heads, states)
        const conversations = frame.heads.map((head) => head[0])
        for (const conversation of conversations) this.outbox.wake(conversation)
        return this.store.tell({ kind: 'behind', conversations })
      }
      case 'error':
        if (WIRE_ERRORS[frame.code].retry) this.receipts.failed()
        return
      case 'page':
        if (frame.reset) this.inbox.diverged(link, frame.conversation)
        return
      case 'cursor': {
        const { conversation, delivered = 0, read = 0, user } = frame
        if (user === undefined || user === this.identity?.user)
          return this.store.move(conversation, { place: toldPlace(frame) })
        return this.store.mark(conversation, [[user, delivered, read]])
      }
      case 'signal':
        this.signals.take(frame)
    }
  }

  draining(): void {
    this.outbox.detach()
  }

  lost(code: number): void {
    this.link = undefined
    this.outbox.lost(code)
    this.inbox.detach()
    this.receipts.detach()
    this.signals.detach()
    this.syncs.attach(undefined)
  }

  /** Writes the item to the outbox; resolves when it is stored on the server for good. */
  send(item: OutboxItem, to: string | undefined): Promise<Sent> {
    const { conversation, cid } = item
    if (to !== undefined && isUserId(to)) this.peers.set(conversation, to)
    return this.pending.track(conversation, cid, () => this.queue(item))
  }

  /** Sends again what was set aside, under a new cid. */
  retry(conversation: string, old: string, fresh: { cid: string; queuedAt: number }): Promise<Sent> {
    return this.pending.track(conversation, fresh.cid, async () => {
      if (!(await this.store.retry(conversation, old, fresh))) this.pending.failed(conversation, fresh.cid, 'bad_state')
    })
  }

  private async queue(item: OutboxItem): Promise<void> {
    const { conversation, cid } = item
    const { outboxItems, outboxBytes, outboxAgeMs, runtime } = this.options
    const oldest = runtime.now() - outboxAgeMs
    const result = await this.store.enqueue(item, { items: outboxItems, bytes: outboxBytes, oldest })
    if (result === 'full') {
      this.pending.failed(conversation, cid, 'outbox_full')
      this.emit('error', new KithwireError('outbox_full'))
    } else if (result === 'conflict') this.pending.failed(conversation, cid, 'cid_conflict')
    else if (result === 'present') await this.pending.check(this.store, conversation)
  }

  private own(conversation: string, items: (user: string) => IMessage[]): IMessage[] {
    const to = this.inbox.peer(conversation) ?? this.peers.get(conversation)
    return items(this.identity?.user ?? '').map((item) => (to === undefined ? item : { ...item, to }))
  }

  private report(
    cause: unknown,
    message = 'The client store failed; see `cause`.',
    code: 'store_failed' | 'internal' = 'store_failed',
  ): void {
    if (this.closed) return
    this.emit('error', cause instanceof KithwireError ? cause : new KithwireError(code, message, { cause }))
  }

  /** Ends everything here. What is queued stays in the store. */
  async close(reason: string): Promise<void> {
    this.closed = true
    this.lost(1000)
    this.unwatch()
    this.subscriptions.close()
    this.signals.close()
    this.pending.rejectAll('closed', reason)
    if (this.options.ownsStore) await this.store.close()
  }
}
