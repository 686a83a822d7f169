import type { Entry, Stored } from '../store.js'
import { type Content, fingerprint, sameContent } from './fingerprint.js'
import type { SqlRow } from './sqlite-driver.js'
import { cidFromSql, fromSql, uuidOf } from './sqlite-text.js'

/** The columns of an entry `e`, its sender `s` and the author `r` of what it refers to. */
export const CONTENT_COLUMNS = 'e.type, e.content, r.name AS ref_from, e.ref_cid, e.meta'
export const ENTRY_COLUMNS = `e.seq, e.id, e.cid, e.at, s.name AS sender, ${CONTENT_COLUMNS}`
export const ENTRY_JOINS = 'JOIN user s ON s.id = e.sender LEFT JOIN user r ON r.id = e.ref_sender'

export function toContent(row: SqlRow): Content {
  const content: Content = { type: fromSql(row.type), content: fromSql(row.content) }
  if (row.ref_cid != null) content.ref = [fromSql(row.ref_from), cidFromSql(row.ref_cid)]
  if (row.meta != null) content.meta = JSON.parse(fromSql(row.meta))
  return content
}

export function toEntry(conversation: string, row: SqlRow): Entry {
  return {
    id: fromSql(row.id),
    conversation,
    seq: Number(row.seq),
    from: fromSql(row.sender),
    cid: cidFromSql(row.cid),
    createdAt: Number(row.at),
    ...toContent(row),
  }
}

/** A cid as text: the hexadecimal digits of a UUID, or `=` and any other one. */
const cidText = (column: string) => `iif(typeof(${column}) = 'blob', lower(hex(${column})), '=' || ${column})`

/**
 * Entries as one JSON text, which SQLite writes and `JSON.parse` reads in a third of the time that it takes to hand over
 * each column of each row. It fails where a string is kept as a BLOB.
 *
 * @param source a query for `ENTRY_COLUMNS`; its order is kept
 */
export const asList = (source: string): string => `
  SELECT json_group_array(json_array(
    seq, id, ${cidText('cid')}, at, sender, type, content, ref_from, ${cidText('ref_cid')}, meta)) AS list
  FROM (${source})`

type ListRow = [
  seq: number,
  id: string,
  cid: string,
  at: number,
  sender: string,
  type: string,
  content: string,
  refFrom: string | null,
  refCid: string | null,
  meta: string | null,
]

/** The entries of a list that `asList` has made, in the order of the log. */
export function fromList(conversation: string, list: string): Entry[] {
  return (JSON.parse(list) as ListRow[]).map((row) => {
    const [seq, id, cid, createdAt, from, type, content, refFrom, refCid, meta] = row
    const entry: Entry = { id, conversation, seq, from, cid: cidOfText(cid), createdAt, type, content }
    if (refFrom !== null && refCid !== null) entry.ref = [refFrom, cidOfText(refCid)]
    if (meta !== null) entry.meta = JSON.parse(meta)
    return entry
  })
}

const cidOfText = (text: string): string => (text.startsWith('=') ? text.slice(1) : uuidOf(text))

export const toStored = (row: SqlRow, duplicate: boolean): Stored => ({
  seq: Number(row.seq),
  id: fromSql(row.id),
  at: Number(row.at),
  duplicate,
})

/** Whether `item` is a retry of the entry in `row`, whose content may have been blanked. */
export function isRetry(row: SqlRow, item: Content, secret: Uint8Array): boolean {
  if (row.hash instanceof Uint8Array) return fingerprint(secret, item).equals(row.hash)
  return sameContent(toContent(row), item)
}
