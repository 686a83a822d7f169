/** An entry as the log has it. The oracle describes everything itself and shares no type with the product. */
export interface LogEntry {
  id: string
  conversation: string
  seq: number
  from: string
  cid: string
  content: string
}

/** One message that a person wanted to send. Its content is unique in a run and stands for it. */
export interface Intent {
  user: string
  device: string
  /** Device and tab; a tab that was restarted has the same name. */
  tab: string
  conversation: string
  content: string
  /** Place in the order of its tab. */
  order: number
  /** The highest seq whose acknowledgement somebody had seen when this was sent. */
  floor: number
  legacy: boolean
  /** A proxy on the way closes 1009 at each frame with it. */
  poison: boolean
  /** The client has promised that it is in its durable outbox. */
  queued: boolean
  /** Was in the log when a backup was brought back, and not in the backup. */
  lost: boolean
  /** Retention had taken its content by then. */
  blanked: boolean
  /** The sender had been told that it is stored, so it must come back. */
  owed: boolean
  /** Some server has said no for good to it. */
  refused: boolean
  /** It was stored by an append that nobody waited for any more. */
  orphaned: boolean
  acked?: { seq: number; id: string }
  failed?: string
}

/** Every violation of a run, in words. */
export class Verdict {
  readonly violations: string[] = []

  fail(invariant: string, what: string): void {
    // A broken run repeats itself; the first lines say it all.
    if (this.violations.length < 20) this.violations.push(`${invariant} ${what}`)
  }
}

/** What the log said over time, and what senders were told. Checks I1 to I6 and I9. */
export class Ledger {
  /** By content. */
  readonly intents = new Map<string, Intent>()
  readonly logs = new Map<string, LogEntry[]>()
  /**
   * Two servers: an append that is under way on one of them may land after the other has refused its repetition, which
   * is a known limit of the protocol.
   */
  apart = false
  private readonly rows = new Map<string, LogEntry>()
  private readonly contents = new Map<string, LogEntry>()
  private readonly ids = new Map<string, LogEntry>()
  private readonly highest = new Map<string, number>()
  private readonly acks = new Map<string, number>()
  private readonly orders = new Map<string, number>()
  private wireAcks: { user: string; conversation: string; cid: string; seq: number; id: string }[] = []

  constructor(private readonly verdict: Verdict) {}

  head(conversation: string): number {
    return this.logs.get(conversation)?.length ?? 0
  }

  /** The highest first seq that there was: a backup brings back what a device has passed over as gone. */
  passed(conversation: string): number {
    return this.highest.get(conversation) ?? 1
  }

  retained(conversation: string, first: number): void {
    this.highest.set(conversation, Math.max(first, this.passed(conversation)))
  }

  entry(conversation: string, seq: number): LogEntry | undefined {
    return this.logs.get(conversation)?.[seq - 1]
  }

  /** What once was durable under this id, before a restore perhaps. */
  known(id: string): LogEntry | undefined {
    return this.ids.get(id)
  }

  sending(from: Pick<Intent, 'user' | 'device' | 'tab' | 'conversation' | 'content'> & Partial<Intent>): Intent {
    const order = (this.orders.get(from.tab) ?? 0) + 1
    this.orders.set(from.tab, order)
    const floor = this.acks.get(from.conversation) ?? 0
    const intent: Intent = {
      legacy: false,
      poison: false,
      queued: false,
      lost: false,
      blanked: false,
      owed: false,
      refused: false,
      orphaned: false,
      ...from,
      order,
      floor,
    }
    this.intents.set(intent.content, intent)
    return intent
  }

  /** The most messages that one user still has to get into the log. */
  get backlog(): number {
    const waiting = new Map<string, number>()
    for (const { user, content, failed } of this.intents.values())
      if (failed === undefined && !this.contents.has(content)) waiting.set(user, (waiting.get(user) ?? 0) + 1)
    return Math.max(0, ...waiting.values())
  }

  acked(intent: Intent, seq: number, id: string): void {
    const lost = this.ids.get(id)
    if (
      intent.lost &&
      lost?.content === intent.content &&
      lost.seq === seq &&
      this.entry(intent.conversation, seq)?.id !== id
    ) {
      // The acknowledgement is older than the restore; the sender read it late.
      intent.owed = !intent.blanked
      return
    }
    if (intent.acked && (intent.acked.seq !== seq || intent.acked.id !== id))
      this.verdict.fail('I1', `${intent.content} was acknowledged as ${intent.acked.seq} and as ${seq}`)
    intent.acked = { seq, id }
    this.acks.set(intent.conversation, Math.max(seq, this.acks.get(intent.conversation) ?? 0))
    // Stable storage comes before the acknowledgement, so the log must have it by now.
    this.checkAck(intent, this.entry(intent.conversation, seq), 'when it was acknowledged')
  }

  failed(intent: Intent, code: string): void {
    intent.failed = code
  }

  wireAcked(user: string, conversation: string, item: { cid: string; seq: number; id: string }): void {
    this.wireAcks.push({ user, conversation, cid: item.cid, seq: item.seq, id: item.id })
    const entry = this.entry(conversation, item.seq)
    if (entry?.id !== item.id || entry.cid !== item.cid || entry.from !== user)
      this.verdict.fail('I1', `the server acknowledged ${conversation}/${item.seq} before it was durable`)
  }

  /** An entry was stored without its server's learning of it, and may have been while another one, or it, said no. */
  orphaned(content: string): void {
    const intent = this.intents.get(content)
    if (intent) intent.orphaned = true
  }

  /** A server said that the sender may not write here. */
  wireRefused(content: string): void {
    const intent = this.intents.get(content)
    if (intent) intent.refused = true
  }

  /** The store made an entry durable. */
  logged(entry: LogEntry): void {
    const { conversation, seq, from, content } = entry
    const log = this.logs.get(conversation) ?? []
    if (seq !== log.length + 1) this.verdict.fail('I3', `${conversation} has ${log.length} entries, then came ${seq}`)
    log.push(entry)
    this.logs.set(conversation, log)
    const key = rowKey(entry)
    this.ids.set(entry.id, entry)
    if (this.rows.has(key))
      this.verdict.fail('I2', `${conversation}/${seq} repeats the cid of ${this.rows.get(key)!.seq}`)
    this.rows.set(key, entry)
    const twin = this.contents.get(content)
    if (twin) this.verdict.fail('I2', `${content} is in the log twice, at ${twin.seq} and ${seq}`)
    this.contents.set(content, entry)
    const intent = this.intents.get(content)
    if (intent === undefined) this.verdict.fail('I2', `nobody sent ${conversation}/${seq} ${content}`)
    else if (intent.user !== from || intent.conversation !== conversation)
      this.verdict.fail('I11', `${content} of ${intent.user} was stored as ${from} in ${conversation}`)
  }

  /**
   * A backup was brought back: what is beyond it is gone, and is owed to whoever was told that it is stored. A backup
   * older than an earlier restore brings back what that restore had taken.
   */
  restored(conversation: string, backup: readonly LogEntry[]): void {
    const log = this.logs.get(conversation) ?? []
    const fork = log.findIndex((entry, index) => entry.id !== backup[index]?.id)
    const length = fork < 0 ? log.length : fork
    for (const entry of log.splice(length)) {
      this.rows.delete(rowKey(entry))
      this.contents.delete(entry.content)
      const intent = this.intents.get(entry.content)
      if (intent === undefined) continue
      intent.lost = true
      // A device that has passed over what retention took has nothing to send again, even if a backup had it once more.
      intent.blanked = entry.seq < this.passed(conversation)
      intent.owed = (intent.owed || (intent.acked !== undefined && !intent.legacy)) && !intent.blanked
      delete intent.acked
    }
    for (const entry of backup.slice(length)) this.logged(entry)
    for (const intent of this.intents.values()) if (intent.conversation === conversation) intent.floor = 0
    this.acks.delete(conversation)
    this.wireAcks = this.wireAcks.filter((ack) => ack.conversation !== conversation || ack.seq <= length)
  }

  /**
   * The final check, over the final log of the store.
   *
   * @param alone whether a user has one device only: of several, each puts back what it has of a restored log when it
   *   hears of it, and one that began late has only the newer part
   */
  finish(logs: ReadonlyMap<string, readonly LogEntry[]>, alone: (user: string) => boolean): void {
    for (const [conversation, seen] of this.logs) {
      const log = logs.get(conversation) ?? []
      if (log.length !== seen.length) this.verdict.fail('I4', `${conversation} lost entries`)
      for (const [index, entry] of log.entries())
        if (entry.seq !== index + 1 || entry.id !== seen[index]?.id)
          this.verdict.fail('I4', `${conversation}/${index + 1} changed`)
    }
    for (const ack of this.wireAcks) {
      const entry = logs.get(ack.conversation)?.[ack.seq - 1]
      if (entry?.id !== ack.id || entry.cid !== ack.cid || entry.from !== ack.user)
        this.verdict.fail('I1', `${ack.conversation}/${ack.seq} was acknowledged and is not in the log`)
    }
    const last = new Map<string, { order: number; seq: number; content: string }>()
    for (const intent of this.intents.values()) {
      const entry = this.contents.get(intent.content)
      if (intent.acked) this.checkAck(intent, entry, 'at the end')
      const late = (this.apart || intent.orphaned) && entry !== undefined && intent.refused
      if (intent.failed !== undefined && entry !== undefined && !late)
        this.verdict.fail('I9', `${intent.content} failed as ${intent.failed} and is in the log at ${entry.seq}`)
      if (intent.failed === 'unknown_outcome' && !intent.poison)
        this.verdict.fail('I9', `${intent.content} is healthy and was set aside`)
      if (intent.queued && intent.failed === undefined && entry === undefined)
        this.verdict.fail('I8', `${intent.content} was queued and is not in the log`)
      if (intent.owed && intent.failed === undefined && entry === undefined)
        this.verdict.fail('I1', `${intent.content} was acknowledged, lost with a backup, and not sent again`)
      if (entry === undefined || late || (intent.lost && !alone(intent.user))) continue
      if (!intent.lost && entry.seq <= intent.floor)
        this.verdict.fail('I5', `${intent.content} got ${entry.seq}, though ${intent.floor} was acknowledged before`)
      const key = `${intent.tab} ${intent.conversation}`
      const previous = last.get(key)
      if (previous !== undefined && previous.seq > entry.seq)
        this.verdict.fail(
          'I6',
          `${intent.tab} sent ${previous.content} before ${intent.content}; the log says otherwise`,
        )
      last.set(key, { order: intent.order, seq: entry.seq, content: intent.content })
    }
  }

  private checkAck(intent: Intent, entry: LogEntry | undefined, when: string): void {
    const { seq, id } = intent.acked!
    if (entry === undefined) this.verdict.fail('I1', `${intent.content} was not in the log ${when}`)
    else if (entry.seq !== seq || entry.id !== id || entry.content !== intent.content || entry.from !== intent.user)
      this.verdict.fail('I1', `${intent.content} was acknowledged as ${seq}, which is another entry ${when}`)
  }
}

const rowKey = ({ conversation, from, cid }: LogEntry): string => JSON.stringify([conversation, from, cid])
