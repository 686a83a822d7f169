import type { IMessage, KithwireError, WsRequest } from '@kithwire/client'
import type { MarkTuple } from '@kithwire/protocol'
import { type ChatMessage, MessageViews, type Row } from './chat-message.js'
import type { Source } from './chat-model.js'
import { later, listen, type Observable, observable, settled } from './observable.js'

/** One conversation, ready to be shown. */
export interface TimelineView {
  /** Oldest first: entries in the order of their `seq`, each once, then own messages that are not stored yet. */
  readonly messages: readonly ChatMessage[]
  /** A page is on its way; offline, until there is a connection. */
  readonly loading: boolean
  /** Whether `loadOlder` has something to bring. */
  readonly hasOlder: boolean
  /** Why the last page did not come. */
  readonly error: KithwireError | undefined
}

export interface Timeline extends Observable<TimelineView> {
  /** Brings up to 50 older entries in front: from this device where it has them, else from the server. */
  loadOlder(): Promise<void>
}

const PAGE = 50
/** Entries that are kept of a conversation that nobody watches. */
const KEPT = 200
/** Ms to wait for the first entry that the store should have: retention may have left none. */
const PATIENCE = 1_000
/** Ms until a conversation that this device does not know is looked for again. */
const AGAIN = 2_000

const EMPTY: TimelineView = { messages: [], loading: true, hasOlder: false, error: undefined }

/**
 * Merges what a client knows of one conversation: entries that arrive, older pages, and the outbox. What it holds is
 * always one stretch of the log, `floor + 1` … the last entry, but for entries that retention has taken.
 */
export function timelineOf({ client, runtime }: Source, conversation: string): Timeline {
  const views = new MessageViews()
  let chat: WsRequest | undefined
  let entries: readonly IMessage[] = []
  let rows = new Map<string, Row>()
  let marks: readonly MarkTuple[] = []
  /** Of whom and of which log the entries are. */
  let owner: string | undefined
  let resets = -1
  let floor = 0
  let hasOlder = false
  let error: KithwireError | undefined
  let opening = true
  let older: Promise<void> | undefined
  /** Raised whenever what is under way has become void. */
  let version = 0
  let unlisten: (() => void) | undefined
  let stopReading: (() => void) | undefined
  let outboxChanged = true
  /** Rows that left the outbox, and whose entries will not come. */
  const gone = new Set<string>()

  const publish = later(runtime, () => {
    const current = chat
    if (current) refresh(current).catch(fail)
  })
  const fail = (cause: unknown) => {
    error = cause as KithwireError
    publish()
  }

  async function refresh(current: WsRequest): Promise<void> {
    if (outboxChanged) {
      outboxChanged = false
      const fresh = new Map<string, Row>((await current.outgoing(conversation)).map((row) => [row.cid, row]))
      // Gone from the outbox, and not for nothing: it is stored, and its entry is about to come.
      const stored = [...rows].filter(([cid]) => !fresh.has(cid) && !gone.has(cid))
      rows = new Map([...stored.map(([cid, row]) => [cid, stay(row, 'stored')] as const), ...keep(fresh)])
    }
    if (chat !== current) return
    const { messages, ...old } = view.get()
    const next = settled(messages, views.build(current, entries, rows, marks))
    const now = { loading: opening || older !== undefined, hasOlder, error }
    const same = now.loading === old.loading && hasOlder === old.hasOlder && error === old.error
    if (next !== messages || !same) show({ messages: next, ...now })
  }

  const stay = (row: Row, state: Row['state']) => (row.state === state ? row : { ...row, state })
  const keep = (fresh: Map<string, Row>) =>
    [...fresh].map(([cid, row]) => {
      const old = rows.get(cid)
      return [cid, old?.state === row.state && old.failed === row.failed ? old : row] as const
    })

  function add(entry: IMessage): void {
    const last = entries.at(-1)
    if (!last || entry.seq > last.seq) entries = [...entries, entry]
    opened()
  }

  function opened(): void {
    opening = false
    publish()
  }

  const moved = (current: WsRequest) => owner !== undefined && current.user !== owner

  async function stateOf(current: WsRequest) {
    return (await current.conversations()).find((state) => state.conversation === conversation)
  }

  /** Joins the log where this device stands; does nothing as long as it does not know the conversation. */
  async function open(current: WsRequest): Promise<void> {
    const mine = ++version
    const state = await stateOf(current)
    if (mine !== version) return
    // Another tab may hear of it, and this one not.
    if (!state) return void runtime.setTimer(() => mine === version && join(current), AGAIN)
    if (state.resets.length !== resets || moved(current)) entries = []
    resets = state.resets.length
    owner = current.user ?? owner
    marks = state.marks
    const { base, applied } = state
    const after = entries.at(-1)?.seq ?? Math.max(base, applied - PAGE)
    if (entries.length === 0) {
      floor = after
      hasOlder = floor > 0
    }
    unlisten = current.onMessage(add, { conversation, after })
    if (applied - floor < PAGE) await loadOlder()
    if (applied > after) runtime.setTimer(() => opening && opened(), PATIENCE)
    else opened()
  }

  function join(current: WsRequest): void {
    if (chat !== current || (unlisten && !moved(current))) return
    unlisten?.()
    unlisten = undefined
    outboxChanged = true
    open(current).catch(fail)
  }

  function loadOlder(): Promise<void> {
    const current = chat
    if (!current || !hasOlder) return Promise.resolve()
    if (older) return older
    const mine = version
    const loading = loadPage(current, () => mine === version)
      .catch((cause: unknown) => {
        if (mine === version) fail(cause)
      })
      .finally(() => {
        if (older === loading) older = undefined
        publish()
      })
    older = loading
    publish()
    return loading
  }

  async function loadPage(current: WsRequest, valid: () => boolean): Promise<void> {
    error = undefined
    const base = (await stateOf(current))?.base ?? 0
    if (!valid()) return
    const local = floor > base && entries.length > 0
    const after = Math.max(base, floor - PAGE)
    const page = local
      ? { items: await read(current, after, floor), more: after > 0 }
      : await current.history(conversation, { before: floor + 1, limit: PAGE })
    if (!valid()) return
    const { items } = page
    entries = [...items, ...entries]
    floor = local ? after : items.length > 0 ? items[0]!.seq - 1 : 0
    hasOlder = page.more
  }

  /** Entries `after + 1 … to` of this device's store, which has one above them, too. */
  function read(current: WsRequest, after: number, to: number): Promise<IMessage[]> {
    return new Promise((resolve) => {
      const items: IMessage[] = []
      stopReading = current.onMessage(
        (entry) => {
          if (entry.seq <= to) items.push(entry)
          if (entry.seq < to) return
          stopReading?.()
          resolve(items)
        },
        { conversation, after },
      )
    })
  }

  /** The log goes back to `to`; what comes in place of the rest, the listener brings. */
  function goBack(current: WsRequest, to: number): void {
    entries = entries.filter((entry) => entry.seq <= to)
    marks = marks.map(([user, delivered, read]) => [user, Math.min(delivered, to), Math.min(read, to)])
    floor = Math.min(floor, to)
    resets = -1
    version++
    older = undefined
    stopReading?.()
    outboxChanged = true
    if (unlisten) publish()
    else open(current).catch(fail)
  }

  function start(current: WsRequest): () => void {
    chat = current
    outboxChanged = true
    const mine = <T extends { conversation: string }>(run: (change: T) => void) => {
      return (change: T) => change.conversation === conversation && run(change)
    }
    const off = listen(current, {
      reset: mine(({ to }) => goBack(current, to)),
      marks: mine((change) => {
        const news = new Map(change.marks.map((mark) => [mark[0], mark]))
        marks = [...marks.filter(([user]) => !news.has(user)), ...news.values()]
        publish()
      }),
      outgoing: mine(({ cid, state }) => {
        if (state === 'discarded') gone.add(cid)
        outboxChanged = true
        publish()
      }),
      // One that was here before, above what is shown, brings no entry.
      sent: mine(({ cid, seq }) => seq <= floor && gone.add(cid)),
      behind: (names) => names.includes(conversation) && join(current),
      state: (phase) => {
        if (phase === 'online')
          current.connected().then(
            () => join(current),
            () => {},
          )
      },
    })
    join(current)
    return () => {
      off()
      unlisten?.()
      stopReading?.()
      unlisten = chat = older = undefined
      version++
      rows.clear()
      if (entries.length <= KEPT) return
      entries = entries.slice(-KEPT)
      floor = entries[0]!.seq - 1
      hasOlder = true
    }
  }

  let show: (view: TimelineView) => void = () => {}
  const view = observable(runtime, EMPTY, (set) => {
    show = set
    return start(client())
  })
  return { ...view, loadOlder }
}
