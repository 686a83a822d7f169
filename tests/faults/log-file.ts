import { DatabaseSync } from '@photostructure/sqlite'
import type { LogEntry, Mark } from './oracle.js'

/** What an SQLite file of the store holds, read with none of its code: by the tables as they are documented. */
export interface LogFile {
  log: LogEntry[]
  marks: Mark[]
  /** What SQLite itself has to say against the file; empty if nothing. */
  damage: string[]
}

const ENTRIES = `
  SELECT c.name AS conversation, e.seq, e.id, u.name AS sender, lower(hex(e.cid)) AS hex, typeof(e.cid) AS kind,
    CAST(e.cid AS TEXT) AS text, e.content
  FROM entry e JOIN conversation c ON c.id = e.conversation JOIN user u ON u.id = e.sender ORDER BY e.pos`
const HEADS = `
  SELECT c.name AS conversation, max(e.seq) AS head FROM entry e JOIN conversation c ON c.id = e.conversation
  GROUP BY e.conversation`
const MARKS = `
  SELECT c.name AS conversation, u.name AS user, m.delivered, m.read
  FROM mark m JOIN conversation c ON c.id = m.conversation JOIN user u ON u.id = m.user`

/** Runs `work` on a connection that cannot write, and so leaves the recovery of the file to the next server. */
function reading<T>(file: string, work: (all: <Row>(sql: string) => Row[]) => T): T {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    return work(<Row>(sql: string) => database.prepare(sql).all() as Row[])
  } finally {
    database.close()
  }
}

const uuid = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

export function readLogFile(file: string): LogFile {
  interface Row extends Omit<LogEntry, 'from' | 'cid'> {
    sender: string
    hex: string
    kind: string
    text: string
  }
  return reading(file, (all) => ({
    log: all<Row>(ENTRIES).map(({ sender, hex, kind, text, ...entry }) => ({
      ...entry,
      from: sender,
      cid: kind === 'blob' ? uuid(hex) : text,
    })),
    marks: all<Mark>(MARKS),
    damage: [
      ...all<{ integrity_check: string }>('PRAGMA integrity_check')
        .map((row) => row.integrity_check)
        .filter((text) => text !== 'ok'),
      ...all('PRAGMA foreign_key_check').map((row) => `foreign key ${JSON.stringify(row)}`),
    ],
  }))
}

/** Heads and marks alone: quick, for a look after each death. */
export function readPlaces(file: string): { heads: Map<string, number>; marks: Mark[] } {
  return reading(file, (all) => ({
    heads: new Map(
      all<{ conversation: string; head: number }>(HEADS).map(({ conversation, head }) => [conversation, head]),
    ),
    marks: all<Mark>(MARKS),
  }))
}
