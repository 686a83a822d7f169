import { readLogFile } from '../faults/log-file.js'
import type { Acknowledged } from './writers.js'

/**
 * What is wrong with a file, given what its writers were told: whether each log is 1, 2, 3 … with one row per cid, and
 * holds each acknowledged entry under its seq and id. Reads the file with none of the store's code.
 */
export function judgeKept(file: string, acknowledged: readonly Acknowledged[]): { entries: number; wrong: string[] } {
  const { log, damage } = readLogFile(file)
  const wrong = [...damage]
  const heads = new Map<string, number>()
  const byCid = new Map<string, { seq: number; id: string }>()
  for (const { conversation, seq, id, from, cid } of log) {
    // In the order in which they were stored.
    const due = (heads.get(conversation) ?? 0) + 1
    if (seq !== due) wrong.push(`I3 ${conversation}: seq ${seq} where ${due} was due`)
    heads.set(conversation, seq)
    const key = `${conversation} ${from} ${cid}`
    if (byCid.has(key)) wrong.push(`I2 ${key} stands in the log twice`)
    byCid.set(key, { seq, id })
  }
  for (const { conversation, from, cid, seq, id, refused } of acknowledged) {
    if (refused) continue
    const kept = byCid.get(`${conversation} ${from} ${cid}`)
    if (kept?.seq !== seq || kept.id !== id)
      wrong.push(`I1 ${conversation} ${cid}: acknowledged as ${seq} ${id}, the log has ${JSON.stringify(kept)}`)
  }
  return { entries: log.length, wrong }
}
