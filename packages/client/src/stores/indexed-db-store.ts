import { KithwireError } from '@kithwire/protocol'
import type { ClientStore, DeviceIdentity, OutboxItem, StoreChange } from '../client-store.js'
import { Serial } from '../serial.js'
import { IndexedDbConnection } from './indexed-db-connection.js'
import { copyOf } from './indexed-db-copy.js'
import { IndexedDbTransactions } from './indexed-db-transactions.js'
import { CopyableStore } from './store-copy.js'
import { TabChannel } from './tab-channel.js'
import { TRANSACTIONS, type TransactionName } from './transactions.js'

export interface IndexedDbSettings {
  keepMessages: number
  openTimeoutMs: number
}

type Answer<Name extends TransactionName> = Awaited<ReturnType<ClientStore[Name]>>

/** What tabs tell each other of their store. */
type TabNews = { change: StoreChange } | { wiped: true }

/** For rows that were let in before. */
const NO_LIMITS = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY, oldest: 0 }

interface Seat {
  grant(): void
  release(): void
}

/** One tab's client store: a database that it shares with the other tabs of its origin, or memory where that fails. */
export class IndexedDbStore implements ClientStore {
  private readonly connection: IndexedDbConnection
  private readonly channel: TabChannel | undefined
  private readonly watchers = new Set<(change: StoreChange) => void>()
  private readonly seats = new Set<Seat>()
  /** What this tab has queued and not seen settled, for a database that ends before it was sent. */
  private readonly own = new Map<string, OutboxItem>()
  private memory: CopyableStore | undefined
  private readonly serial = new Serial()
  /** The device id of the database, as of the last look. */
  private device: string | undefined
  private over = false

  constructor(
    private readonly name: string,
    private readonly settings: IndexedDbSettings,
  ) {
    this.connection = new IndexedDbConnection(name, settings.openTimeoutMs, () => this.reopened())
    if (typeof indexedDB === 'object' && typeof BroadcastChannel === 'function')
      this.channel = new TabChannel(name, (message) => this.hear(message as TabNews))
  }

  get durable(): boolean {
    return this.memory === undefined
  }

  readonly attempt = this.bind('attempt')
  readonly renew = this.bind('renew')
  readonly claim = this.bind('claim')
  readonly conversations = this.bind('conversations')
  readonly conversation = this.bind('conversation')
  readonly meet = this.bind('meet')
  readonly apply = this.bind('apply')
  readonly skip = this.bind('skip')
  readonly reset = this.bind('reset')
  readonly mark = this.bind('mark')
  readonly move = this.bind('move')
  readonly messages = this.bind('messages')
  readonly last = this.bind('last')
  readonly enqueue = this.bind('enqueue')
  readonly waiting = this.bind('waiting')
  readonly queued = this.bind('queued')
  readonly outgoing = this.bind('outgoing')
  readonly fail = this.bind('fail')
  readonly discard = this.bind('discard')
  readonly retry = this.bind('retry')
  readonly outcome = this.bind('outcome')

  watch(look: (change: StoreChange) => void): () => void {
    this.watchers.add(look)
    return () => void this.watchers.delete(look)
  }

  tell(change: StoreChange): void {
    if (!this.memory) this.channel?.post({ change } satisfies TabNews)
    this.hint(change)
  }

  lead(granted: () => void): () => void {
    let led = false
    const grant = () => {
      if (led) return
      led = true
      granted()
    }
    const seat: Seat = { grant, release: (this.memory ?? this.channel)?.lead(grant) ?? (() => {}) }
    this.seats.add(seat)
    return () => {
      this.seats.delete(seat)
      seat.release()
    }
  }

  async wipe(): Promise<void> {
    const { channel, name, settings } = this
    try {
      await this.serial.run(async () => {
        this.connection.end()
        if (!channel) return
        const wiping = new IndexedDbConnection(name, settings.openTimeoutMs, async () => {})
        // Empty before anybody hears of it: whoever begins anew may be faster than the browser deletes.
        await wiping.run('readwrite', (work) => work.clear()).catch(() => {})
        channel.post({ wiped: true } satisfies TabNews)
        await wiping.destroy()
      })
    } finally {
      this.end()
    }
  }

  async close(): Promise<void> {
    this.over = true
    this.watchers.clear()
    for (const seat of this.seats) seat.release()
    this.channel?.close()
    this.connection.end()
  }

  /** The database is gone, on purpose. */
  private end(): void {
    this.hint({ kind: 'wiped' })
    void this.close()
  }

  private bind<Name extends TransactionName>(name: Name): ClientStore[Name] {
    return ((...args: never[]) => this.call(name, args)) as never
  }

  /** One after the other, so that what goes on in memory goes on in the order of the calls. */
  private call<Name extends TransactionName>(name: Name, args: never[]): Promise<Answer<Name>> {
    return this.serial.run(async (): Promise<Answer<Name>> => {
      if (this.over) throw new KithwireError('closed')
      if (!this.memory) {
        try {
          return await this.transact(name, args)
        } catch (error) {
          if (this.over) throw new KithwireError('closed', undefined, { cause: error })
          await this.fall(error)
        }
      }
      return (await (this.memory![name] as (...args: never[]) => Promise<unknown>)(...args)) as Answer<Name>
    })
  }

  private async transact<Name extends TransactionName>(name: Name, args: never[]): Promise<Answer<Name>> {
    if (!this.channel) throw new KithwireError('store_failed', 'There is no IndexedDB here, or no BroadcastChannel.')
    const [value, { changes }] = await this.connection.run(TRANSACTIONS[name] ? 'readonly' : 'readwrite', (work) => {
      const transactions = new IndexedDbTransactions(work, this.settings.keepMessages)
      return (transactions[name] as (...args: never[]) => Promise<Answer<Name>>)(...args)
    })
    if (name === 'attempt') this.device = (value as DeviceIdentity).device
    if (value === 'queued') this.remember(args[0]!)
    for (const change of changes) this.tell(change)
    return value
  }

  private hear(news: TabNews): void {
    if ('wiped' in news) this.end()
    else if (!this.memory) this.hint(news.change)
  }

  private hint(change: StoreChange): void {
    if (change.kind === 'sent' || change.kind === 'failed') this.own.delete(keyOf(change))
    for (const look of [...this.watchers]) look(change)
  }

  private remember(item: OutboxItem): void {
    this.own.set(keyOf(item), item)
  }

  /** The database was lost, and another one may be in its place: the browser has cleared it. */
  private async reopened(): Promise<void> {
    if (this.device === undefined) return
    const [lost, { changes }] = await this.connection.run('readwrite', async (work) => {
      if ((await work.meta()).identity?.device === this.device) return false
      const transactions = new IndexedDbTransactions(work, this.settings.keepMessages)
      for (const item of this.own.values()) await transactions.enqueue(item, NO_LIMITS)
      return true
    })
    if (!lost) return
    this.device = undefined
    for (const change of changes) this.tell(change)
    this.hint({ kind: 'lost' })
  }

  /**
   * Goes on in memory with all that the database held. It is another device from here on, which connects for itself:
   * the database stays the other tabs', and what waits in it is sent by them, or the next time. Sent twice, it is stored
   * once.
   */
  private async fall(cause: unknown): Promise<void> {
    const memory = new CopyableStore({ keepMessages: this.settings.keepMessages })
    try {
      const [copy] = await this.connection.run('readonly', copyOf)
      const { identity } = copy
      memory.load({ ...copy, identity: identity && { ...identity, device: '', attempt: 0 } })
    } catch {
      memory.load({ identity: undefined, conversations: [], outbox: [...this.own.values()], places: [] })
    }
    this.connection.end()
    this.memory = memory
    memory.watch((change) => this.hint(change))
    for (const seat of this.seats) {
      seat.release()
      seat.release = memory.lead(seat.grant)
    }
    this.hint({ kind: 'trouble', error: notDurable(cause) })
  }
}

const keyOf = ({ conversation, cid }: { conversation: string; cid: string }): string => `${conversation} ${cid}`

function notDurable(cause: unknown): KithwireError {
  const { name, message } = cause as Error
  const newer = name === 'VersionError' ? ' A newer version of this app has used the database: reload the page.' : ''
  const text = `Messages are kept in memory only, until this page ends: ${message || name}.${newer}`
  return new KithwireError('not_durable', text, { cause })
}
