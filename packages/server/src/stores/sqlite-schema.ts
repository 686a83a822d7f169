import { KithwireError, newId, type Runtime } from '@kithwire/protocol'
import type { Connection } from './sqlite-driver.js'

/**
 * Changes are made in two steps: a release adds what is new and goes on serving the old (its `min_reader` stays), a
 * later one removes the old and raises `min_reader`. So an older process may go on using a file that a newer one has
 * opened, during a deploy and after a way back.
 *
 * - `entry` is the log. `pos` is the global position. `cid` comes first in its index, and UUIDv7 cids make that
 *   append-only.
 * - `place` says where in the log a conversation's entries are: all up to the position `placed`. It is not an index of
 *   `entry`, so that thousands of entries may be put into it at once, see sqlite-recent.ts.
 * - `conversation.first` is the first seq that has content.
 * - Strings of callers may be TEXT or BLOB, see sqlite-text.ts.
 */
const MIGRATIONS: readonly { minReader: number; sql: string }[] = [
  {
    minReader: 1,
    sql: `
      CREATE TABLE store (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
      CREATE TABLE conversation (
        id INTEGER PRIMARY KEY, name NOT NULL UNIQUE, first INTEGER NOT NULL DEFAULT 1
      );
      CREATE TABLE user (id INTEGER PRIMARY KEY, name NOT NULL UNIQUE);
      CREATE TABLE entry (
        pos INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL REFERENCES conversation,
        seq INTEGER NOT NULL CHECK (seq >= 1),
        sender INTEGER NOT NULL REFERENCES user,
        id TEXT NOT NULL,
        cid NOT NULL,
        at INTEGER NOT NULL,
        type NOT NULL,
        content NOT NULL,
        ref_sender INTEGER REFERENCES user,
        ref_cid,
        meta TEXT,
        hash BLOB
      );
      CREATE UNIQUE INDEX entry_seq ON entry (conversation, seq);
      CREATE UNIQUE INDEX entry_cid ON entry (cid, conversation, sender);
      CREATE TABLE mark (
        conversation INTEGER NOT NULL REFERENCES conversation,
        user INTEGER NOT NULL REFERENCES user,
        delivered INTEGER NOT NULL,
        read INTEGER NOT NULL,
        PRIMARY KEY (conversation, user)
      ) WITHOUT ROWID;
      CREATE TABLE friendship (
        id PRIMARY KEY NOT NULL,
        user1 NOT NULL,
        user2 NOT NULL,
        state TEXT NOT NULL,
        requester NOT NULL,
        blocked_by TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        version INTEGER NOT NULL
      );
      CREATE UNIQUE INDEX friendship_pair ON friendship (min(user1, user2), max(user1, user2));
      CREATE INDEX friendship_user1 ON friendship (user1);
      CREATE INDEX friendship_user2 ON friendship (user2);
    `,
  },
  // `mark.seen` is null where it is the same as `read`.
  { minReader: 1, sql: 'ALTER TABLE mark ADD COLUMN seen INTEGER' },
  // In one step, since no version before it was released.
  {
    minReader: 3,
    sql: `
      CREATE TABLE place (
        conversation INTEGER NOT NULL, seq INTEGER NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY (conversation, seq)
      ) WITHOUT ROWID;
      INSERT INTO place SELECT conversation, seq, pos FROM entry ORDER BY conversation, seq;
      INSERT INTO store SELECT 'placed', coalesce(max(pos), 0) FROM entry;
      DROP INDEX entry_seq;
    `,
  },
]

/** The version of the schema that this code writes. */
export const SCHEMA_VERSION = MIGRATIONS.length

/** Marks a file as Kithwire's in the header of the database: 'Kith'. */
export const APPLICATION_ID = 0x4b697468

const number = (database: Connection, pragma: string): number =>
  Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])

/**
 * Brings a file to the present schema. Processes that open it at once wait for each other on SQLite's write lock, and
 * the later ones find the work done.
 *
 * @throws KithwireError `bad_state` for a file of another program, or of a version too new to be read.
 */
export function migrate(database: Connection, file: string, runtime: Runtime): void {
  if (number(database, 'user_version') === SCHEMA_VERSION && number(database, 'application_id') === APPLICATION_ID)
    return
  database.exec('BEGIN IMMEDIATE')
  try {
    migrateLocked(database, file, runtime)
    database.exec('COMMIT')
  } catch (error) {
    try {
      database.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back by itself; the first error is the one to tell.
    }
    throw error
  }
}

function migrateLocked(database: Connection, file: string, runtime: Runtime): void {
  const version = number(database, 'user_version')
  const empty = database.prepare('SELECT count(*) AS n FROM sqlite_master').get()!.n === 0
  if (!empty && number(database, 'application_id') !== APPLICATION_ID)
    throw new KithwireError(
      'bad_state',
      `${file} is a database of another program. Give the SQLite store a file of its own.`,
    )
  if (version > SCHEMA_VERSION) {
    const minReader = Number(database.prepare("SELECT value FROM store WHERE key = 'min_reader'").get()?.value)
    if (minReader <= SCHEMA_VERSION) return
    throw new KithwireError(
      'bad_state',
      `${file} was written by a newer version of @kithwire/server: its schema is ${version} and needs at least ` +
        `${minReader}; this version knows ${SCHEMA_VERSION}. Update @kithwire/server; the file was not changed.`,
    )
  }
  for (const { sql } of MIGRATIONS.slice(version)) database.exec(sql)
  const set = database.prepare(
    'INSERT INTO store (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  )
  const setOnce = database.prepare('INSERT INTO store (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING')
  set.run('min_reader', MIGRATIONS.at(-1)!.minReader)
  setOnce.run('epoch', newId(runtime))
  // Keys the hashes that retention leaves in place of contents.
  setOnce.run('secret', runtime.bytes(32))
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`)
}
