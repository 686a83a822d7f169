import type { FriendshipRow, FriendshipState } from '../store.js'
import type { Database } from './sqlite-database.js'
import type { SqlRow, SqlValue } from './sqlite-driver.js'
import { fromSql, toSql } from './sqlite-text.js'

const COLUMNS = 'id, user1, user2, state, requester, blocked_by, created_at, changed_at, version'
/** As the index `friendship_pair` has it. */
const PAIR = 'min(user1, user2) = min(?, ?) AND max(user1, user2) = max(?, ?)'

const GET = `SELECT ${COLUMNS} FROM friendship WHERE id = ?`
const BETWEEN = `SELECT ${COLUMNS} FROM friendship WHERE ${PAIR}`
const OF = `
  SELECT ${COLUMNS} FROM friendship WHERE user1 = ?
  UNION SELECT ${COLUMNS} FROM friendship WHERE user2 = ?`
const INSERT = `
  INSERT INTO friendship (user1, user2, state, requester, blocked_by, created_at, changed_at, version, id)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
const UPDATE = `
  UPDATE friendship SET user1 = ?, user2 = ?, state = ?, requester = ?, blocked_by = ?, created_at = ?,
    changed_at = ?, version = ?
  WHERE id = ? AND version = ? AND ${PAIR}`

/** Friendship rows. Each `put` is one statement, so SQLite itself compares and sets. */
export class SqliteFriendships {
  constructor(private readonly database: Database) {}

  get(id: string): FriendshipRow | undefined {
    return toRow(this.database.statement(GET).get(toSql(id)))
  }

  between(one: string, other: string): FriendshipRow | undefined {
    return toRow(this.database.statement(BETWEEN).get(...pair(one, other)))
  }

  of(user: string): FriendshipRow[] {
    const rows = this.database.statement(OF).all(toSql(user), toSql(user))
    return rows.map((row) => toRow(row)!)
  }

  put(row: FriendshipRow, expected: number | undefined): boolean {
    const values: SqlValue[] = [
      toSql(row.user1),
      toSql(row.user2),
      row.state,
      toSql(row.requester),
      JSON.stringify(row.blockedBy),
      row.createdAt,
      row.changedAt,
      row.version,
      toSql(row.id),
    ]
    return this.database.write(() => {
      const { changes } =
        expected === undefined
          ? this.database.statement(INSERT).run(...values)
          : this.database.statement(UPDATE).run(...values, expected, ...pair(row.user1, row.user2))
      return Number(changes) === 1
    })
  }
}

const pair = (one: string, other: string): SqlValue[] => [toSql(one), toSql(other), toSql(one), toSql(other)]

function toRow(row: SqlRow | undefined): FriendshipRow | undefined {
  if (!row) return undefined
  return {
    id: fromSql(row.id),
    user1: fromSql(row.user1),
    user2: fromSql(row.user2),
    state: fromSql(row.state) as FriendshipState,
    requester: fromSql(row.requester),
    blockedBy: JSON.parse(fromSql(row.blocked_by)),
    createdAt: Number(row.created_at),
    changedAt: Number(row.changed_at),
    version: Number(row.version),
  }
}
