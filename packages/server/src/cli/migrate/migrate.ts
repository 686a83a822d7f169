import type { Runtime } from '@kithwire/protocol'
import { type Client, MAKE_REPLICA_SET } from '../mongo-driver.js'
import { indexesOf } from './indexes.js'
import { Numbering } from './numbering.js'
import { type OldRow, oldRows, type Rows } from './rows.js'
import { RunSession } from './run-session.js'
import type { Survey } from './survey.js'

export interface MigrateOptions {
  client: Client
  rows: Rows
  runtime: Runtime
  /** Rows in one transaction. */
  batch: number
  /** Whether the server may be no replica set. */
  standalone: boolean
  /** Asked between two batches: whether to stop here. */
  isStopped(): boolean
  /** Told after each batch how many rows of it got a number. */
  seen(amount: number): void
}

/** Rows that arrive while others are numbered need another round; who writes faster than this has to pause. */
const MOST_ROUNDS = 5

/**
 * Gives every row of the collection that has no number one. Can be ended at any instant and called again.
 *
 * @returns how many rows got one
 * @throws Error for a standalone server that was not allowed
 */
export async function migrate(options: MigrateOptions, { topology }: Survey): Promise<number> {
  const { client, rows, runtime, standalone } = options
  if (topology === 'standalone' && !standalone)
    throw new Error(
      `This MongoDB is no replica set, which Kithwire needs: ${MAKE_REPLICA_SET}. To migrate without, say --standalone.`,
    )
  for (const { keys, options: how } of indexesOf(rows)) await rows.collection.createIndex(keys, how)
  const run = topology === 'standalone' ? undefined : await RunSession.open(client)
  const numbering = new Numbering(rows, run?.session, runtime)
  let sum = 0
  for (let round = 0; round < MOST_ROUNDS && !options.isStopped(); round++) {
    const numbered = await oneRound(options, numbering)
    sum += numbered
    if (numbered === 0) break
  }
  await run?.close()
  return sum
}

async function oneRound(options: MigrateOptions, numbering: Numbering): Promise<number> {
  let sum = 0
  let batch: OldRow[] = []
  const flush = async () => {
    const numbered = batch.length === 0 ? 0 : await numbering.apply(batch)
    batch = []
    sum += numbered
    options.seen(numbered)
  }
  for await (const row of oldRows(options.rows)) {
    if (batch.push(row) >= options.batch) await flush()
    if (options.isStopped()) return sum
  }
  await flush()
  return sum
}
