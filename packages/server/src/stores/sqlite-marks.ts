import type { Mark } from '../store.js'
import { mergeMark } from './merge-mark.js'
import type { Database } from './sqlite-database.js'
import type { SqlRow } from './sqlite-driver.js'
import type { Names } from './sqlite-names.js'
import { fromSql, toSql } from './sqlite-text.js'

const OF = `
  SELECT u.name, m.delivered, m.read, m.seen FROM mark m JOIN user u ON u.id = m.user
  WHERE m.conversation = (SELECT id FROM conversation WHERE name = ?)`
const ONE = 'SELECT delivered, read, seen FROM mark WHERE conversation = ? AND user = ?'
const SET = `
  INSERT INTO mark (conversation, user, delivered, read, seen) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET delivered = excluded.delivered, read = excluded.read, seen = excluded.seen`

/** Delivered and read marks, which only grow. */
export class SqliteMarks {
  constructor(
    private readonly database: Database,
    private readonly conversations: Names,
    private readonly users: Names,
  ) {}

  of(conversations: readonly string[]): Mark[] {
    return this.database.snapshot(() =>
      [...new Set(conversations)].flatMap((conversation) =>
        this.database
          .statement(OF)
          .all(toSql(conversation))
          .map((row) => ({ conversation, user: fromSql(row.name), ...placeOf(row) })),
      ),
    )
  }

  merge(marks: readonly Mark[]): Mark[] {
    try {
      return this.database.write(() => marks.map((mark) => this.#merge(mark)))
    } catch (error) {
      this.conversations.forget()
      this.users.forget()
      throw error
    }
  }

  #merge(news: Mark): Mark {
    const log = this.conversations.intern(news.conversation)
    const who = this.users.intern(news.user)
    const row = this.database.statement(ONE).get(log, who)
    const known = row && placeOf(row)
    const merged = mergeMark(known, news)
    const { delivered, read, seen } = merged
    // A mark that is no news, as every reconnection brings, costs no write and so no sync.
    if (known?.delivered !== delivered || known.read !== read || known.seen !== seen)
      this.database.statement(SET).run(log, who, delivered, read, seen ?? null)
    return merged
  }
}

/** What an older process has raised past `seen` has no `seen` any more. */
function placeOf({ delivered, read, seen }: SqlRow): Omit<Mark, 'conversation' | 'user'> {
  const place = { delivered: Number(delivered), read: Number(read) }
  return seen == null || Number(seen) >= place.read ? place : { ...place, seen: Number(seen) }
}
