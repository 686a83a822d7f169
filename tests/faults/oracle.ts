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
  /** Set once the send was acknowledged. */
  ack?: { cid: string; seq: number; id: string }
}

export interface View {
  device: string
  conversation: string
  shown: readonly { seq: number; id: string; content: string }[]
}

/** Every violation, in words; empty if all is well. */
export function judge(log: readonly LogEntry[], promises: readonly Made[], views: readonly View[]): string[] {
  const wrong: string[] = []
  const conversations = new Map<string, LogEntry[]>()
  for (const entry of log) {
    const entries = conversations.get(entry.conversation) ?? []
    conversations.set(entry.conversation, entries)
    entries.push(entry)
  }
  for (const [conversation, entries] of conversations) {
    entries.sort((a, b) => a.seq - b.seq)
    const keys = new Set<string>()
    entries.forEach((entry, index) => {
      if (entry.seq !== index + 1) wrong.push(`I3 ${conversation}: seq ${entry.seq} stands at place ${index + 1}`)
      const key = `${entry.from} ${entry.cid}`
      if (keys.has(key)) wrong.push(`I2 ${conversation}: two entries of ${key}`)
      keys.add(key)
    })
  }
  const at = (conversation: string, seq: number) => conversations.get(conversation)?.[seq - 1]
  const last = new Map<string, number>()
  const contents = new Map<string, number>()
  for (const entry of log) {
    const key = `${entry.conversation} ${entry.from} ${entry.content}`
    contents.set(key, (contents.get(key) ?? 0) + 1)
  }
  for (const { conversation, from, content, ack } of promises) {
    const times = contents.get(`${conversation} ${from} ${content}`) ?? 0
    if (times > 1) wrong.push(`I2 ${conversation}: "${content}" stands ${times} times in the log`)
    if (ack === undefined) continue
    const entry = at(conversation, ack.seq)
    if (entry?.id !== ack.id || entry.content !== content || entry.from !== from || entry.cid !== ack.cid)
      wrong.push(
        `I1 ${conversation}: acknowledged ${JSON.stringify({ ...ack, content })}, the log has ${JSON.stringify(entry)}`,
      )
    // The promises of one sender stand in the order in which it made them.
    const key = `${conversation} ${from}`
    if (ack.seq <= (last.get(key) ?? 0))
      wrong.push(`I6 ${conversation}: "${content}" of ${from} stands before an earlier one`)
    last.set(key, ack.seq)
  }
  for (const { device, conversation, shown } of views) {
    shown.forEach((message, index) => {
      const seq = (shown[0]?.seq ?? 1) + index
      if (message.seq !== seq) wrong.push(`I7 ${device}: was shown seq ${message.seq} where ${seq} was due`)
      const entry = at(conversation, message.seq)
      if (entry?.id !== message.id || entry.content !== message.content)
        wrong.push(`I4 ${device}: was shown ${JSON.stringify(message)}, the log has ${JSON.stringify(entry)}`)
    })
    const head = conversations.get(conversation)?.length ?? 0
    if ((shown.at(-1)?.seq ?? 0) !== head)
      wrong.push(`I8 ${device}: was shown up to ${shown.at(-1)?.seq ?? 0} of ${head}`)
  }
  return wrong
}
