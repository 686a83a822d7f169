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

/** Registers tests that need a mongod; where none is found they are skipped, in CI they fail. */
export function withMongod(name: string, kind: 'replica set' | 'standalone', body: (bench: Bench) => void): void {
  const binary = findMongod()
  if (!binary) {
    it(name, (context) => void need(context, binary, MONGOD))
    return
  }
  describe(name, () => {
    let server: MongoSet | Mongod
    beforeAll(async () => {
      server = kind === 'replica set' ? await MongoSet.start(binary) : await Mongod.start(binary, undefined)
    })
    afterAll(() => server.remove())
    body({ newUri: () => server.uri(`kithwire-${randomUUID()}`), cpuMs: () => server.cpuMs() })
  })
}
