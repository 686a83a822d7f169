import {
  type IMessage,
  type KithwireErrorCode,
  type OutgoingItem,
  type Sent,
  sendState,
  type WsRequest,
} from '@kithwire/client'
import type { MarkTuple } from '@kithwire/protocol'

/** How far a message has got; one of somebody else is `stored`. */
export type MessageState = 'queued' | 'sent' | 'stored' | 'delivered' | 'read' | 'failed'

/** A message as a list shows it: an entry of the log, or a row of the outbox on its way to become one. */
export interface ChatMessage extends Pick<IMessage, 'conversation' | 'type' | 'content' | 'cid' | 'ref' | 'meta'> {
  /** The same from the moment it is queued. */
  readonly key: string
  readonly from: string
  readonly own: boolean
  readonly state: MessageState
  /** Absent until it is stored. */
  readonly seq?: number
  /** Ms since 1970: the server's once it is stored, until then this device's. */
  readonly at: number
  /** Why it failed. */
  readonly failed?: KithwireErrorCode
  /** Sends a failed one again, under a new cid. See `WsRequest.retry`. */
  retry(): Promise<Sent>
  /** Forgets a failed one. */
  discard(): Promise<void>
}

/** A row of the outbox; `stored` from the acknowledgement until its entry is here. */
export type Row = Omit<OutgoingItem, 'state'> & { state: MessageState }

/** Makes the messages of one conversation, and keeps those that have not changed. */
export class MessageViews {
  private views = new Map<string, ChatMessage>()
  private sources = new Map<string, IMessage | Row>()
  private marks: readonly MarkTuple[] = []

  /** Entries first, then what is on its way; a row whose entry is here is left out and taken from `rows`. */
  build(
    chat: WsRequest,
    entries: readonly IMessage[],
    rows: Map<string, Row>,
    marks: readonly MarkTuple[],
  ): readonly ChatMessage[] {
    const me = chat.user ?? ''
    const views = new Map<string, ChatMessage>()
    const sources = new Map<string, IMessage | Row>()
    const add = (key: string, source: IMessage | Row, state: () => MessageState, at: number, from: string) => {
      const old = this.sources.get(key) === source ? this.views.get(key)! : undefined
      const now = old && marks === this.marks && old.own === (from === me) ? old.state : state()
      const { conversation, cid } = source
      sources.set(key, source)
      views.set(
        key,
        old?.state === now && old.own === (from === me)
          ? old
          : {
              ...source,
              ...{ key, from, at, state: now, own: from === me },
              retry: () => chat.retry(conversation, cid),
              discard: () => chat.discard(conversation, cid),
            },
      )
    }
    for (const entry of entries) {
      const { from, cid, createdAt } = entry
      // Cids are unique per author only.
      add(from === me ? cid : `${from} ${cid}`, entry, () => sendState(entry, marks, me), createdAt, from)
    }
    for (const [cid, row] of rows) {
      if (views.has(cid)) rows.delete(cid)
      else add(cid, row, () => row.state, row.queuedAt, me)
    }
    this.views = views
    this.sources = sources
    this.marks = marks
    return [...views.values()]
  }
}
