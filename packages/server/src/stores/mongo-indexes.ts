import { KithwireError } from '@kithwire/protocol'
import type { Doc } from './mongo-connection.js'
import type { Database } from './mongo-database.js'
import { isTransient } from './mongo-errors.js'
import type { Index } from './mongo-layout.js'

/** NamespaceNotFound: no such collection yet. */
const NO_COLLECTION = 26

const text = (value: unknown) => JSON.stringify(value)

/** Whether an index does what is needed. One that is not unique here may be unique there. */
function serves({ key, unique, partialFilterExpression }: Index, found: Doc): boolean {
  if (text(found.key) !== text(key) || found.collation !== undefined || found.sparse === true) return false
  if (!unique) return found.partialFilterExpression === undefined
  return found.unique === true && text(found.partialFilterExpression) === text(partialFilterExpression)
}

async function existing(database: Database, collection: string): Promise<readonly Doc[]> {
  try {
    const reply = await database.retry(() =>
      database.command({ listIndexes: collection, cursor: { batchSize: 1_000 } }),
    )
    return reply.cursor?.firstBatch ?? []
  } catch (error) {
    if ((error as { code?: unknown }).code === NO_COLLECTION) return []
    throw error
  }
}

/** The line for mongosh that makes an index. */
function creating({ collection, key, unique, partialFilterExpression }: Index): string {
  const options = { ...(unique && { unique }), ...(partialFilterExpression && { partialFilterExpression }) }
  const more = Object.keys(options).length > 0 ? `, ${text(options)}` : ''
  return `db.getCollection(${text(collection)}).createIndex(${text(key)}${more})`
}

const byCollection = (indexes: readonly Index[]) =>
  [...new Set(indexes.map(({ collection }) => collection))].map(
    (collection) => [collection, indexes.filter((index) => index.collection === collection)] as const,
  )

/** An index that is missing, and the names of those that have its keys and are something else. */
interface Missing {
  index: Index
  inTheWay: readonly string[]
}

/** The indexes that are missing; of the others, the names are noted. */
async function missingIndexes(database: Database, indexes: readonly Index[]): Promise<Missing[]> {
  const missing = byCollection(indexes).map(async ([collection, wanted]) => {
    const there = await existing(database, collection)
    return wanted.flatMap((index): Missing[] => {
      const found = there.find((one) => serves(index, one))
      if (found) index.name = String(found.name)
      const alike = there.filter((one) => text(one.key) === text(index.key))
      return found ? [] : [{ index, inTheWay: alike.map(({ name }) => String(name)) }]
    })
  })
  return (await Promise.all(missing)).flat()
}

/** The lines for mongosh that make what is missing. */
const commands = (missing: readonly Missing[]) =>
  missing.flatMap(({ index, inTheWay }) => [
    ...inTheWay.map((name) => `db.getCollection(${text(index.collection)}).dropIndex(${text(name)})`),
    creating(index),
  ])

async function make(database: Database, missing: readonly Index[]): Promise<void> {
  const commands = byCollection(missing).map(([createIndexes, indexes]) => ({
    createIndexes,
    indexes: indexes.map(({ key, name, unique, partialFilterExpression }) => {
      return { key, name, ...(unique && { unique }), ...(partialFilterExpression && { partialFilterExpression }) }
    }),
  }))
  await Promise.all(commands.map((command) => database.long(command)))
}

/**
 * Makes sure that all indexes are there: makes them where mongoose itself would (`autoIndex`), and otherwise refuses.
 * An index that is in the way is never dropped here.
 *
 * @throws KithwireError `bad_state` with the commands to run
 */
export async function ensureIndexes(database: Database, indexes: readonly Index[], mayMake: boolean): Promise<void> {
  const missing = await missingIndexes(database, indexes)
  if (missing.length === 0) return
  let cause: unknown
  try {
    if (mayMake)
      return await make(
        database,
        missing.map(({ index }) => index),
      )
  } catch (error) {
    if (isTransient(error)) throw error
    cause = error
  }
  const why = cause === undefined ? '' : ` They could not be made: ${(cause as Error).message}.`
  throw new KithwireError(
    'bad_state',
    `MongoDB lacks indexes without which entries could be doubled or lost.${why} In mongosh, on the database of the ` +
      `connection, run:\n${commands(missing).join('\n')}`,
    { cause },
  )
}
