import type { IMessage } from '@kithwire/client'

export type Stage = 'queued' | 'stored' | 'delivered' | 'read' | 'failed'
const TICKS: Record<Stage, string> = { queued: '…', stored: '✓', delivered: '✓✓', read: '✓✓ read', failed: 'not sent' }

/** The list of messages of one pane. A message is known by its sender and cid from before it is stored. */
export class Transcript {
  /** How far the other one has got; may be known before the messages are. */
  private delivered = 0
  private read = 0
  private readonly rows = new Map<string, { element: HTMLLIElement; seq: number; own: boolean; stage: Stage }>()

  constructor(
    private readonly list: HTMLOListElement,
    private readonly user: string,
  ) {}

  /** Shows an own message that waits in the outbox. */
  queue(cid: string, content: string): void {
    this.row(this.user, cid, content).stage = 'queued'
    this.paint(`${this.user} ${cid}`)
  }

  add(message: IMessage): void {
    const row = this.row(message.from, message.cid, message.content)
    row.seq = message.seq
    if (row.own && (row.stage === 'queued' || row.stage === 'failed')) row.stage = 'stored'
    row.element.title = new Date(message.createdAt).toLocaleString()
    this.place(row)
    this.paint(`${message.from} ${message.cid}`)
  }

  fail(cid: string): void {
    const row = this.rows.get(`${this.user} ${cid}`)
    if (row) row.stage = 'failed'
    this.paint(`${this.user} ${cid}`)
  }

  /** What the other one has got and read, up to a seq. */
  mark(delivered: number, read: number): void {
    this.delivered = Math.max(this.delivered, delivered)
    this.read = Math.max(this.read, read)
    for (const key of this.rows.keys()) this.paint(key)
  }

  private row(from: string, cid: string, content: string) {
    const key = `${from} ${cid}`
    let row = this.rows.get(key)
    if (row === undefined) {
      const element = document.createElement('li')
      const text = document.createElement('bdi')
      // Text only, in an isolate: neither markup nor a direction override of one message reaches the page.
      text.textContent = content
      element.append(text, document.createElement('small'))
      row = { element, seq: 0, own: from === this.user, stage: 'stored' }
      element.classList.toggle('own', row.own)
      this.rows.set(key, row)
      this.place(row)
    }
    return row
  }

  /** By seq; what has none yet stands last. Stays at the bottom if the reader was there. */
  private place(row: { element: HTMLLIElement; seq: number }): void {
    const list = this.list
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60
    const rank = row.seq || Number.MAX_SAFE_INTEGER
    let next: HTMLLIElement | null = null
    for (const other of [...this.rows.values()].reverse()) {
      if (
        other !== row &&
        other.seq !== 0 &&
        other.seq > rank &&
        (next === null || other.seq < Number(next.dataset.seq))
      )
        next = other.element
      if (other !== row && other.seq === 0 && row.seq !== 0 && next === null) next = other.element
    }
    row.element.dataset.seq = String(row.seq)
    if (next !== row.element) list.insertBefore(row.element, next)
    if (atEnd) list.scrollTop = list.scrollHeight
  }

  private paint(key: string): void {
    const row = this.rows.get(key)
    if (!row) return
    if (row.own && row.seq > 0 && row.seq <= this.read) row.stage = 'read'
    else if (row.own && row.seq > 0 && row.seq <= this.delivered) row.stage = 'delivered'
    row.element.classList.toggle('failed', row.stage === 'failed')
    const ticks = row.element.querySelector('small') as HTMLElement
    ticks.textContent = row.own ? TICKS[row.stage] : ''
    ticks.setAttribute('aria-label', row.own ? row.stage : '')
  }
}
