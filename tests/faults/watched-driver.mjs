import { createRequire } from 'node:module'

/**
 * Puts `watch` between the store and each statement of its SQLite driver in this thread. The shipped code is used as it
 * is: it finds this driver in place of the real one.
 *
 * @param shipped path of the worker that is about to be loaded; drivers are found from there
 * @param watch (sql, statement, connection) => statement
 */
export function watchDriver(shipped, watch) {
  const require = createRequire(shipped)
  for (const name of ['node:sqlite', '@photostructure/sqlite']) {
    try {
      const exports = require(name)
      const DatabaseSync = watched(exports.DatabaseSync, watch)
      if (name.startsWith('node:')) exports.DatabaseSync = DatabaseSync
      else require.cache[require.resolve(name)].exports = { DatabaseSync }
    } catch {
      // The store takes whichever is there.
    }
  }
}

/** What the store asks of a driver, and no more. */
const watched = (Real, watch) =>
  function DatabaseSync(file) {
    const real = new Real(file)
    return {
      exec: (sql) => real.exec(sql),
      prepare: (sql) => watch(sql, real.prepare(sql), real),
      close: () => real.close(),
    }
  }
