import type { Ledger, LogEntry, Verdict } from './ledger.js'

/** A callback of an app. */
export interface Listener {
  name: string
  /** Whether its app saves where it is. One that does not begins behind what its device has when it is made. */
  saved: boolean
  user: string
  device: string
  /** The last seq it got, per conversation. */
  readonly last: Map<string, number>
  /** The ids it got, per conversation and seq. */
  readonly ids: Map<string, Map<number, string>>
}

/** What people were shown. Checks I7, and with `finish` that every view has reached the log. */
export class Views {
  readonly listeners = new Map<string, Listener>()
  /** The heads that welcomes named to a device: it may start behind any of them, and nowhere else. */
  private readonly starts = new Map<string, Map<string, Set<number>>>()

  constructor(
    private readonly verdict: Verdict,
    private readonly ledger: Ledger,
  ) {}

  listener(name: string, user: string, device: string, saved: boolean): Listener {
    const known = this.listeners.get(name)
    if (known) return known
    const listener: Listener = { name, saved, user, device, last: new Map(), ids: new Map() }
    this.listeners.set(name, listener)
    return listener
  }

  /** A device that has stored nothing yet was told of a conversation with this head. */
  fresh(device: string, conversation: string, head: number): void {
    const conversations = this.starts.get(device) ?? new Map<string, Set<number>>()
    this.starts.set(device, conversations)
    conversations.set(conversation, (conversations.get(conversation) ?? new Set()).add(head))
  }

  /** A device that knows its other conversations was told of one: a new one begins at `joined`. */
  later(device: string, conversation: string, joined: number): void {
    const conversations = this.starts.get(device)
    if (!conversations?.has(conversation)) this.fresh(device, conversation, joined)
  }

  shown(listener: Listener, message: LogEntry): void {
    const { conversation, seq } = message
    const where = `${listener.name} ${conversation}/${seq}`
    const last = listener.last.get(conversation)
    if (last === undefined) {
      const starts = this.starts.get(listener.device)?.get(conversation)
      const known = listener.saved ? starts?.has(seq - 1) : starts && seq > Math.min(...starts)
      if (!known && seq > this.ledger.passed(conversation))
        this.verdict.fail('I7', `${where}: the first one, though the device did not start there`)
    } else if (seq !== last + 1 && !(seq > last && seq <= this.ledger.passed(conversation)))
      this.verdict.fail('I7', `${where}: after ${last}`)
    listener.last.set(conversation, seq)
    const ids = listener.ids.get(conversation) ?? new Map<number, string>()
    listener.ids.set(conversation, ids.set(seq, message.id))
    const entry = this.ledger.known(message.id)
    if (entry === undefined) this.verdict.fail('I7', `${where}: shown before it was durable`)
    else if (entry.seq !== seq || entry.content !== message.content || entry.from !== message.from)
      this.verdict.fail('I4', `${where}: shown as ${message.content}, stored as ${entry.seq} ${entry.content}`)
  }

  /** A page of history: entries of the log, one after the other. */
  page(items: readonly LogEntry[]): void {
    for (const [index, item] of items.entries()) {
      const entry = this.ledger.known(item.id)
      if (entry?.content !== item.content || entry.seq !== item.seq)
        this.verdict.fail('I4', `history shows ${item.content}, which was never durable`)
      if (index > 0 && items[index - 1]!.seq !== item.seq - 1) this.verdict.fail('I7', 'history has a hole')
    }
  }

  /** The app was told that a conversation goes back to `to`, and forgets what is above it. */
  reset(listener: Listener, conversation: string, to: number): void {
    this.fresh(listener.device, conversation, to)
    const last = listener.last.get(conversation)
    if (last === undefined || last <= to) return
    listener.last.set(conversation, to)
    const ids = listener.ids.get(conversation)
    for (const seq of ids?.keys() ?? []) if (seq > to) ids!.delete(seq)
  }

  /** Faults have stopped long ago: each of these listeners must have reached the head of each conversation. */
  finish(live: readonly Listener[], conversationsOf: (user: string) => readonly string[]): void {
    for (const listener of live) {
      for (const conversation of conversationsOf(listener.user)) {
        const head = this.ledger.head(conversation)
        const last = listener.last.get(conversation)
        for (const [seq, id] of listener.ids.get(conversation) ?? [])
          if (this.ledger.entry(conversation, seq)?.id !== id)
            this.verdict.fail('I4', `${listener.name} ${conversation}/${seq}: still shows what the log does not have`)
        const starts = this.starts.get(listener.device)?.get(conversation)
        if (starts === undefined)
          this.verdict.fail('I8', `${listener.name} ${conversation}: its device was never told of it`)
        if (last === undefined && !listener.saved) continue
        // What retention has taken cannot be had any more; a device that slept through it may have nothing to show.
        if (head < this.ledger.passed(conversation)) continue
        if (last === undefined ? !starts?.has(head) && head > 0 : last !== head)
          this.verdict.fail('I8', `${listener.name} ${conversation}: has ${last ?? 'nothing'} of ${head}`)
      }
    }
  }
}
