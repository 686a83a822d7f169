import { randomUUID } from 'node:crypto'
import type { MongooseConnection } from '@kithwire/server/mongo'
import mongoose9 from 'mongoose'
import mongoose5 from 'mongoose5'
import mongoose8 from 'mongoose8'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { findMongod, MONGOD, Mongod, MongoSet } from '../support/mongod.js'
import { need } from '../support/need.js'

/** What the tests do with a connection, of whichever mongoose. */
export interface OpenConnection extends MongooseConnection {
  dropDatabase(): Promise<unknown>
  close(): Promise<void>
}

/** Options of mongoose 5 only. */
const UNIFIED = { useNewUrlParser: true, useUnifiedTopology: true } as object

/** Connects, by each mongoose that is supported. */
export const mongooses: Readonly<Record<string, (uri: string) => OpenConnection>> = {
  'mongoose 9': (uri) => mongoose9.createConnection(uri),
  'mongoose 8': (uri) => mongoose8.createConnection(uri),
  'mongoose 5.13': (uri) => mongoose5.createConnection(uri, UNIFIED),
}

/** A server for one file of tests. */
export interface Bench {
  /** The address of a database that nobody has used. */
  newUri(): string
  /** CPU time that the server has used, ms. */
  cpuMs(): number
}

/** A replica set that is there already, and stays. */
function foreign(uri: string): Pick<MongoSet, 'uri' | 'cpuMs' | 'remove'> {
  // Several hosts are no URL.
  const [, hosts, options] = /^(mongodb[^/]*\/\/[^/?]+)[^?]*(.*)$/.exec(uri) ?? []
  if (!hosts) throw new Error(`MONGODB_URI: expected mongodb://…, came ${uri}.`)
  return { uri: (database) => `${hosts}/${database}${options}`, cpuMs: () => Number.NaN, remove: async () => {} }
}

/**
 * Registers tests that need a mongod; where none is found they are skipped, in CI they fail. MONGODB_URI names a replica
 * set to take instead, for those that do not kill it.
 */
export function withMongod(name: string, kind: 'replica set' | 'standalone', body: (bench: Bench) => void): void {
  const uri = kind === 'replica set' ? process.env.MONGODB_URI : undefined
  const binary = uri ? undefined : findMongod()
  if (!uri && !binary) {
    it(name, (context) => void need(context, binary, MONGOD))
    return
  }
  describe(name, () => {
    let server: Pick<MongoSet, 'uri' | 'cpuMs' | 'remove'>
    beforeAll(async () => {
      if (uri) server = foreign(uri)
      else if (kind === 'replica set') server = await MongoSet.start(binary!)
      else server = await Mongod.start(binary!, undefined)
    })
    afterAll(() => server.remove())
    body({ newUri: () => server.uri(`kithwire-${randomUUID()}`), cpuMs: () => server.cpuMs() })
  })
}
