import type { Mark } from '../store.js'
import type { Database } from './sqlite-database.js'
import type { Names } from './sqlite-names.js'
import { fromSql, toSql } from './sqlite-text.js'

const OF = `
  SELECT u.name, m.delivered, m.read FROM mark m JOIN user u ON u.id = m.user
  WHERE m.conversation = (SELECT id FROM conversation WHERE name = ?)`
const ONE = 'SELECT delivered, read FROM mark WHERE conversation = ? AND user = ?'
const SET = `
  INSERT INTO mark (conversation, user, delivered, read) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET delivered = excluded.delivered, read = excluded.read`

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
          .map(({ name, delivered, read }) => ({
            conversation,
            user: fromSql(name),
            delivered: Number(delivered),
            read: Number(read),
          })),
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

  #merge({ conversation, user, delivered, read }: Mark): Mark {
    const log = this.conversations.intern(conversation)
    const who = this.users.intern(user)
    const known = this.database.statement(ONE).get(log, who)
    const furthest = Math.max(Number(known?.read ?? 0), read)
    const merged = { delivered: Math.max(Number(known?.delivered ?? 0), delivered, furthest), read: furthest }
    // A mark that is no news, as every reconnection brings, costs no write and so no sync.
    if (!known || known.delivered !== merged.delivered || known.read !== merged.read)
      this.database.statement(SET).run(log, who, merged.delivered, merged.read)
    return { conversation, user, ...merged }
  }
}
