import { judgeMarks, type Mark, type Told } from './oracle-marks.js'

export type { Mark, Told } from './oracle-marks.js'

/**
 * What must hold after any fault. It knows nothing of the product but what it was told: who was promised what, who was
 * shown what, and what the log says at the end.
 */
export interface LogEntry {
  conversation: string
  seq: number
  id: string
  from: string
  cid: string
  content: string
}

export interface Made {
  conversation: string
  from: string
  content: string
  /** When it was written, and when acknowledged: places in one order of everything that the load saw. */
  written?: number
  /** Set once the send was acknowledged. */
  ack?: { cid: string; seq: number; id: string; moment?: number }
}

export interface Shown {
  seq: number
  id: string
  content: string
  from?: string
  cid?: string
}

export interface View {
  device: string
  conversation: string
  shown: readonly Shown[]
}

/** Every violation, in words; empty if all is well. */
export function judge(
  log: readonly LogEntry[],
  promises: readonly Made[],
  views: readonly View[],
  receipts: { marks: readonly Mark[]; told: readonly Told[] } = { marks: [], told: [] },
): string[] {
  const conversations = byConversation(log)
  const at = (conversation: string, seq: number) => conversations.get(conversation)?.[seq - 1]
  const heads = new Map([...conversations].map(([conversation, entries]) => [conversation, entries.length]))
  return [
    ...judgeLog(conversations, promises),
    ...judgePromises(promises, at),
    ...judgeOrder(promises),
    ...judgeViews(views, at, heads),
    ...judgeMarks(receipts.marks, receipts.told, heads),
  ]
}

type At = (conversation: string, seq: number) => LogEntry | undefined

function byConversation(log: readonly LogEntry[]): Map<string, LogEntry[]> {
  const conversations = new Map<string, LogEntry[]>()
  for (const entry of log) {
    const entries = conversations.get(entry.conversation) ?? []
    conversations.set(entry.conversation, entries)
    entries.push(entry)
  }
  for (const entries of conversations.values()) entries.sort((a, b) => a.seq - b.seq)
  return conversations
}

/** The log in itself: no gaps, nothing twice, nothing that nobody wrote. */
function judgeLog(conversations: ReadonlyMap<string, LogEntry[]>, promises: readonly Made[]): string[] {
  const wrong: string[] = []
  const writers = new Set(promises.map(({ conversation, from, content }) => `${conversation} ${from} ${content}`))
  const ids = new Set<string>()
  for (const [conversation, entries] of conversations) {
    const cids = new Set<string>()
    const contents = new Set<string>()
    entries.forEach((entry, index) => {
      if (entry.seq !== index + 1) wrong.push(`I3 ${conversation}: seq ${entry.seq} stands at place ${index + 1}`)
      if (ids.has(entry.id)) wrong.push(`I4 ${conversation}: two entries have the id ${entry.id}`)
      ids.add(entry.id)
      const key = `${entry.from} ${entry.cid}`
      if (cids.has(key)) wrong.push(`I2 ${conversation}: two entries of ${key}`)
      cids.add(key)
      if (promises.length === 0) return
      const content = `${conversation} ${entry.from} ${entry.content}`
      if (contents.has(content)) wrong.push(`I2 ${conversation}: "${entry.content}" stands in the log twice`)
      contents.add(content)
      if (!writers.has(content)) wrong.push(`I11 ${conversation}: ${entry.from} never wrote "${entry.content}"`)
    })
  }
  return wrong
}

function judgePromises(promises: readonly Made[], at: At): string[] {
  return promises.flatMap(({ conversation, from, content, ack }) => {
    if (ack === undefined) return []
    const entry = at(conversation, ack.seq)
    if (entry?.id === ack.id && entry.content === content && entry.from === from && entry.cid === ack.cid) return []
    return `I1 ${conversation}: acknowledged ${JSON.stringify({ ...ack, content })}, the log has ${JSON.stringify(entry)}`
  })
}

/** In real time and by sender. */
function judgeOrder(promises: readonly Made[]): string[] {
  const wrong: string[] = []
  const last = new Map<string, number>()
  const events: { moment: number; made: Made; acked: boolean }[] = []
  for (const made of promises) {
    const { conversation, from, content, ack, written } = made
    if (ack === undefined) continue
    // The promises of one sender stand in the order in which it made them.
    const key = `${conversation} ${from}`
    if (ack.seq <= (last.get(key) ?? 0))
      wrong.push(`I6 ${conversation}: "${content}" of ${from} stands before an earlier one`)
    last.set(key, ack.seq)
    if (written === undefined || ack.moment === undefined) continue
    events.push({ moment: written, made, acked: false }, { moment: ack.moment, made, acked: true })
  }
  events.sort((a, b) => a.moment - b.moment)
  const known = new Map<string, number>()
  for (const { made, acked } of events) {
    const { conversation, content, ack } = made
    const highest = known.get(conversation) ?? 0
    if (acked) known.set(conversation, Math.max(highest, ack!.seq))
    else if (ack!.seq <= highest)
      wrong.push(
        `I5 ${conversation}: "${content}" was written after seq ${highest} was acknowledged, and has ${ack!.seq}`,
      )
  }
  return wrong
}

function judgeViews(views: readonly View[], at: At, heads: ReadonlyMap<string, number>): string[] {
  const wrong: string[] = []
  for (const { device, conversation, shown } of views) {
    shown.forEach((message, index) => {
      const seq = (shown[0]?.seq ?? 1) + index
      if (message.seq !== seq) wrong.push(`I7 ${device}: was shown seq ${message.seq} where ${seq} was due`)
      const entry = at(conversation, message.seq)
      const { id, content, from = entry?.from, cid = entry?.cid } = message
      if (entry?.id !== id || entry.content !== content || entry.from !== from || entry.cid !== cid)
        wrong.push(`I4 ${device}: was shown ${JSON.stringify(message)}, the log has ${JSON.stringify(entry)}`)
    })
    const head = heads.get(conversation) ?? 0
    if ((shown.at(-1)?.seq ?? 0) !== head)
      wrong.push(`I8 ${device}: was shown up to ${shown.at(-1)?.seq ?? 0} of ${head}`)
  }
  return wrong
}
