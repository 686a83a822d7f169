import { type IMessage, KithwireError, type MessageType } from '@kithwire/protocol'
import { EventEmitter } from 'eventemitter3'
import type { AbortSignalLike } from './abort.js'
import type { ConversationState, OutboxItem } from './client-store.js'
import type { ConnectionPhase } from './connection-state.js'
import { Core, type SendInput } from './core.js'
import type { ClientEvents, OutgoingItem, Sent } from './events.js'
import type { HistoryOptions, HistoryPage } from './history.js'
import { iterate } from './iterate.js'
import { type Platform, resolveOptions, type TokenSource, type WsRequestOptions } from './options.js'
import type { ListenOptions, MessageListener } from './subscriptions.js'

/** The client: one connection of one device, and what it has to say. */
export interface WsRequest extends EventEmitter<ClientEvents> {
  /** What the connection is doing; in a tab that follows another one, that one's. */
  readonly state: ConnectionPhase
  /** Who this is, from the first connection on, or from the start where `options.user` says it. */
  readonly user: string | undefined
  /** Whether what is queued outlives this page or process. */
  readonly durable: boolean
  /**
   * Queues a message and sends it as soon as possible, again after a lost connection, under one id. Resolves when the
   * server has stored it for good.
   *
   * @throws KithwireError `outbox_full`, `too_large`, `bad_field`, `closed`, `aborted`, or the server's refusal
   */
  send(message: SendInput): Promise<Sent>
  /** The same, as in the article: `friendId` is the conversation. */
  send(friendId: string, content: string, receiverId: string, type?: MessageType): Promise<Sent>
  /** Calls `run` with each entry, own ones included, once and in order. Returns a function that ends it. */
  onMessage(run: MessageListener, options?: ListenOptions): () => void
  /** The same as an async iterator; ends with `close()`, `break`, or the signal. */
  messages(options?: ListenOptions & { signal?: AbortSignalLike }): AsyncIterableIterator<IMessage>
  /** A page of older entries, from the server. Waits for a connection. */
  history(conversation: string, options?: HistoryOptions): Promise<HistoryPage>
  /** Marks as read up to `seq`, or all that this device has. */
  markRead(conversation: string, seq?: number): Promise<void>
  /**
   * Makes the entries from `seq` on count as unread again, for this user on all devices. The others keep seeing that they
   * were read; `markRead` ends it.
   */
  markUnread(conversation: string, seq: number): Promise<void>
  /**
   * Tells the others that this user is typing, or no more. To be called with each key: it says so every 3 s at most, and
   * whoever says nothing for 6 s counts as typing no more. Not promised.
   */
  typing(conversation: string, on: boolean): void
  /**
   * Whether a user is online, or anybody else in a conversation, as far as is known: a user who hides it is not. The
   * event `presence` tells of changes.
   */
  presence(userOrConversation: string): boolean
  /** Where this device stands in each conversation: what it has, what this user has read, how far the others are. */
  conversations(): Promise<ConversationState[]>
  /**
   * Messages of this user, of one conversation or of all, that wait, are on their way or were set aside, in the order in
   * which they will be sent. The event `outgoing` tells of each change.
   */
  outgoing(conversation?: string): Promise<OutgoingItem[]>
  /** Those of them that were set aside: refused for good, or of unknown outcome. */
  failed(): Promise<OutboxItem[]>
  /** Forgets a message that was set aside. */
  discard(conversation: string, cid: string): Promise<void>
  /**
   * Sends a message that was set aside once more: in one step its row goes away, and one of the same content waits behind
   * all others, under a new cid. What was set aside as `unknown_outcome` may thereby be stored twice.
   *
   * @throws KithwireError `bad_state` if no such message was set aside, and as `send`
   */
  retry(conversation: string, cid: string): Promise<Sent>
  /** Asks the server for a sign of life. Resolves with the round trip in ms; rejects after 3 s, and connects anew. */
  heartbeat(): Promise<number>
  /** Resolves when online; rejects when refused, closed or aborted. */
  connected(signal?: AbortSignalLike): Promise<void>
  /** Starts, or starts again after a refusal. */
  connect(): void
  /**
   * New credentials, of whichever user: sent at once on an open connection, or used for the next. `undefined` is for
   * cookies that have changed: it connects anew. For the end of a session there is `signOut()`.
   */
  authenticate(token: TokenSource | undefined): void
  /**
   * Signs this user out on this device: forgets all that its store holds, what is queued included, in every tab. The
   * connections end with the error `unauthorized`; `authenticate()` or `connect()` start again, for whoever it is then.
   */
  signOut(): Promise<void>
  /** Ends for good. Promises of `send` reject with `closed`; what is queued stays in a durable store. */
  close(): Promise<void>
}

export interface WsRequestClass {
  /** @throws KithwireError `bad_option` */
  new (url: string, options?: WsRequestOptions): WsRequest
  /** As in the article: connects to `${url}/${userId}`. */
  new (url: string, userId: string, options?: WsRequestOptions): WsRequest
}

/** Makes the class for a platform. */
export function wsRequestFor(platform: Platform): WsRequestClass {
  return class extends EventEmitter<ClientEvents> implements WsRequest {
    private readonly core: Core

    constructor(url: string, userOrOptions?: string | WsRequestOptions, more?: WsRequestOptions) {
      super()
      const article = typeof userOrOptions === 'string'
      const path = article ? `${url}/${encodeURIComponent(userOrOptions)}` : url
      const options = article ? { user: userOrOptions, ...more } : userOrOptions === undefined ? {} : userOrOptions
      this.core = new Core(resolveOptions(path, options, platform), (name, ...values) => {
        try {
          this.emit(name, ...(values as never))
        } catch (cause) {
          // What an app does with an event must not keep the client from going on.
          if (name === 'error') throw cause
          this.emit('error', new KithwireError('internal', `A listener of "${name}" failed; see \`cause\`.`, { cause }))
        }
      })
    }

    get state(): ConnectionPhase {
      return this.core.tabs.phase
    }

    get user(): string | undefined {
      return this.core.user
    }

    get durable(): boolean {
      return this.core.store.durable
    }

    send(message: SendInput | string, content = '', receiverId?: string, type?: MessageType): Promise<Sent> {
      if (typeof message === 'object') return this.core.send(message)
      return this.core.send({ conversation: message, content, ...(type && { type }) }, receiverId)
    }

    onMessage(run: MessageListener, options?: ListenOptions): () => void {
      return this.core.listen(run, options)
    }

    messages({ signal, ...options }: ListenOptions & { signal?: AbortSignalLike } = {}) {
      const ended = (end: () => void) => {
        const check = (phase: ConnectionPhase) => {
          if (phase === 'closed') end()
        }
        this.on('state', check)
        return () => void this.off('state', check)
      }
      return iterate((run) => this.core.listen(run, options), ended, signal)
    }

    history(conversation: string, options?: HistoryOptions): Promise<HistoryPage> {
      return this.core.history(conversation, options)
    }

    markRead(conversation: string, seq?: number): Promise<void> {
      return this.core.markRead(conversation, seq)
    }

    markUnread(conversation: string, seq: number): Promise<void> {
      return this.core.markUnread(conversation, seq)
    }

    typing(conversation: string, on: boolean): void {
      this.core.typing(conversation, on)
    }

    presence(userOrConversation: string): boolean {
      return this.core.presence(userOrConversation)
    }

    conversations(): Promise<ConversationState[]> {
      return this.core.store.conversations()
    }

    outgoing(conversation?: string): Promise<OutgoingItem[]> {
      return this.core.outgoing(conversation)
    }

    async failed(): Promise<OutboxItem[]> {
      const rows = await this.core.store.outgoing()
      return rows.filter((row) => row.failed !== undefined)
    }

    discard(conversation: string, cid: string): Promise<void> {
      return this.core.store.discard(conversation, cid)
    }

    retry(conversation: string, cid: string): Promise<Sent> {
      return this.core.retry(conversation, cid)
    }

    heartbeat(): Promise<number> {
      return this.core.heartbeat()
    }

    connected(signal?: AbortSignalLike): Promise<void> {
      return this.core.connected(signal)
    }

    connect(): void {
      this.core.start()
    }

    authenticate(token: TokenSource | undefined): void {
      this.core.connection.authenticate(token)
    }

    signOut(): Promise<void> {
      return this.core.store.wipe()
    }

    close(): Promise<void> {
      return this.core.close()
    }
  }
}
