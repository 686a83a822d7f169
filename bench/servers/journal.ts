import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'

export interface Row {
  id: number
  from: string
  body: string
}

export interface Journal {
  /** Held as long as its statements: the driver finalizes those of a database that nobody refers to. */
  database: unknown
  /** Durable when it returns, with FULL. */
  append(from: string, to: string, body: string): number
  /** What was sent to a user after `id`. */
  since(user: string, id: number, limit: number): Row[]
}

/** What somebody writes who adds a table of messages to a relay: one insert, one commit, per message. */
export async function openJournal(directory: string, synchronous: 'FULL' | 'NORMAL'): Promise<Journal> {
  const database = new DatabaseSync(join(directory, 'messages.db'))
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${synchronous};
    CREATE TABLE IF NOT EXISTS message (
      id INTEGER PRIMARY KEY, sender TEXT NOT NULL, receiver TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS message_receiver ON message (receiver, id);
  `)
  const insert = database.prepare('INSERT INTO message (sender, receiver, body, at) VALUES (?, ?, ?, ?)')
  const after = database.prepare(
    'SELECT id, sender AS "from", body FROM message WHERE receiver = ? AND id > ? ORDER BY id LIMIT ?',
  )
  return {
    database,
    append: (from, to, body) => Number(insert.run(from, to, body, Date.now()).lastInsertRowid),
    since: (user, id, limit) => after.all(user, id, limit) as unknown as Row[],
  }
}
