import { COUNTABLE_TYPES } from '@kithwire/protocol'
import type { Database } from './sqlite-database.js'
import type { SqlRow, SqlValue } from './sqlite-driver.js'
import { asList, CONTENT_COLUMNS, ENTRY_COLUMNS, ENTRY_JOINS } from './sqlite-entry.js'

/** Where the entries of a conversation from one seq to another are. */
export interface Span {
  conversation: number
  /** These are in `place`; none if `from` is greater than `to`. */
  from: number
  to: number
  /** Positions of the rest, in order. */
  recent: readonly number[]
}

/** A query for the entries of a span: those in `place`, and the recent ones by their positions. */
interface SpanQuery {
  placed: string
  recent: string
}

const PLACED = 'place p CROSS JOIN entry e ON e.pos = p.pos'
const IN_PLACED = 'p.conversation = ? AND p.seq BETWEEN ? AND ?'
const RECENT = 'json_each(?) j CROSS JOIN entry e ON e.pos = j.value'
export const ENTRIES: SpanQuery = {
  placed: `SELECT ${ENTRY_COLUMNS} FROM ${PLACED} ${ENTRY_JOINS} WHERE ${IN_PLACED} ORDER BY p.seq`,
  recent: `SELECT ${ENTRY_COLUMNS} FROM ${RECENT} ${ENTRY_JOINS} ORDER BY j.id`,
}
export const LIST: SpanQuery = { placed: asList(ENTRIES.placed), recent: asList(ENTRIES.recent) }
const COUNTED = `
  e.sender IS NOT (SELECT id FROM user WHERE name = ?)
    AND e.type IN (${COUNTABLE_TYPES.map((type) => `'${type}'`).join(', ')})`

/** How many of them count as unread, but for those of one user, whose name follows. */
export const COUNT: SpanQuery = {
  placed: `SELECT count(*) AS n FROM ${PLACED} WHERE ${IN_PLACED} AND ${COUNTED}`,
  recent: `SELECT count(*) AS n FROM ${RECENT} WHERE ${COUNTED}`,
}
export const TO_BLANK: SpanQuery = {
  placed: `
    SELECT e.pos, ${CONTENT_COLUMNS} FROM ${PLACED} LEFT JOIN user r ON r.id = e.ref_sender WHERE ${IN_PLACED}`,
  recent: `SELECT e.pos, ${CONTENT_COLUMNS} FROM ${RECENT} LEFT JOIN user r ON r.id = e.ref_sender`,
}

/** What a query finds in a span, in the order of the log. */
export function rowsOf(database: Database, query: SpanQuery, span: Span, ...more: SqlValue[]): SqlRow[] {
  const { conversation, from, to, recent } = span
  const older = from > to ? [] : database.statement(query.placed).all(conversation, from, to, ...more)
  if (recent.length === 0) return older
  return [...older, ...database.statement(query.recent).all(JSON.stringify(recent), ...more)]
}
