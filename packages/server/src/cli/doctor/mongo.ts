import type { Runtime } from '@kithwire/protocol'
import { indexesOf } from '../migrate/indexes.js'
import { type Rows, unnumbered } from '../migrate/rows.js'
import { type Client, connect, type Document, MAKE_REPLICA_SET, topologyOf } from '../mongo-driver.js'
import { clockFinding, type Finding, good, problem, warning } from './finding.js'

const text = (value: unknown): string => JSON.stringify(value)

/** Looks at a database of the MongoDB store. Changes nothing. */
export async function mongoFindings(
  url: string,
  names: Rows['names'],
  collection: string,
  runtime: Runtime,
): Promise<Finding[]> {
  let client: Client
  try {
    client = await connect(url)
  } catch (error) {
    return [problem('mongo', `no connection: ${(error as Error).message}`, 'start mongod, or correct --mongo')]
  }
  try {
    const rows: Rows = { collection: client.db().collection(collection), names }
    return [
      await topologyFinding(client),
      ...(await indexFindings(rows)),
      await rowsFinding(rows),
      await clock(client, runtime),
    ]
  } finally {
    await client.close()
  }
}

async function topologyFinding(client: Client): Promise<Finding> {
  if ((await topologyOf(client.db())) === 'replica set') return good('mongo', 'a replica set')
  return problem(
    'mongo',
    'a standalone server: after a crash of it, entries that somebody has read may be gone',
    `${MAKE_REPLICA_SET}. Or say { standalone: true } to mongo() and live with that`,
  )
}

async function indexFindings({ collection, names }: Rows): Promise<Finding[]> {
  let there: Document[]
  try {
    there = await collection.listIndexes().toArray()
  } catch (error) {
    // NamespaceNotFound: nobody has written yet, and the first start makes everything.
    if ((error as { code?: unknown }).code === 26)
      return [good('indexes', `no collection ${collection.collectionName} yet`)]
    throw error
  }
  return indexesOf({ collection, names }).map(({ keys, options }) => {
    const found = there.find(({ key }) => text(key) === text(keys))
    const make = `db.getCollection(${text(collection.collectionName)}).createIndex(${text(keys)}, ${text(options)})`
    const name = Object.keys(keys).join(', ')
    const partial = text(found?.partialFilterExpression) === text(options.partialFilterExpression)
    if (found?.unique === true && partial) return good('indexes', `unique on ${name}`)
    const what =
      found === undefined ? 'there is none' : found.unique === true ? 'it has another filter' : 'it is not unique'
    const drop = found === undefined ? '' : `dropIndex(${text(found.name)}), then `
    return problem('indexes', `unique on ${name}: ${what}, so entries could be doubled`, `in mongosh: ${drop}${make}`)
  })
}

async function rowsFinding(rows: Rows): Promise<Finding> {
  const old = await rows.collection.countDocuments(unnumbered(rows))
  if (old === 0) return good('rows', 'every message has its place')
  return warning(
    'rows',
    `${old.toLocaleString('en-US')} messages have no place, and nobody sees them`,
    'npx kithwire migrate',
  )
}

async function clock(client: Client, runtime: Runtime): Promise<Finding> {
  const before = runtime.now()
  const { localTime } = await client.db().command({ isMaster: 1 })
  return clockFinding('clock', 'the clock of MongoDB', Number(localTime), (before + runtime.now()) / 2)
}
