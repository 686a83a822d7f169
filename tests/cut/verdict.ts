import { judge, type LogEntry } from '../faults/oracle.js'
import type { Device, Told } from './device.js'

/** Every violation of one session, in words: what any fault must leave whole, and what this session alone can know. */
export function verdict(log: readonly LogEntry[], devices: readonly Device[], told: readonly Told[]): string[] {
  const promises = [...devices.flatMap((device) => device.told), ...told]
  const views = devices.flatMap((device) => device.views)
  const wrong = judge(log, promises, views)
  for (const { conversation, content, ack } of promises)
    if (!ack) wrong.push(`I8 ${conversation}: "${content}" was never acknowledged`)
  if (log.length !== promises.length) wrong.push(`I8 ${log.length} entries of ${promises.length} sends`)
  for (const { device, conversation, shown } of views)
    if (shown[0]?.seq !== 1) wrong.push(`I7 ${device}: the view of ${conversation} begins at ${shown[0]?.seq}`)
  // I5: what was acknowledged before another was sent stands before it.
  for (const earlier of promises)
    for (const other of promises)
      if (earlier.conversation === other.conversation && (earlier.done ?? Number.POSITIVE_INFINITY) < other.begun)
        if (earlier.ack && other.ack && earlier.ack.seq >= other.ack.seq)
          wrong.push(`I5 ${earlier.conversation}: ${earlier.ack.seq} was stored before ${other.ack.seq} was sent`)
  for (const { heard, pages, user } of devices) {
    wrong.push(...heard.wrong)
    for (const { conversation, items } of pages)
      for (const { seq, id, content } of items) {
        const entry = log.find((other) => other.conversation === conversation && other.seq === seq)
        if (entry?.id !== id || entry.content !== content) wrong.push(`I4 ${user}: history gave ${id} at ${seq}`)
      }
  }
  return wrong
}
