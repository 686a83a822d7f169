import { type MongoStore, mongo } from '@kithwire/server/mongo'
import { storeConformance } from '@kithwire/server/testing'
import { afterEach, describe, it } from 'vitest'
import { type Bench, mongooses, type OpenConnection, withMongod } from './bench.js'

function conformance(name: string, bench: Bench, open: (connection: OpenConnection) => MongoStore, version: string) {
  const connect = mongooses[version]!
  const uris = new WeakMap<object, string>()
  const connections: OpenConnection[] = []
  const opened = async (uri: string) => {
    const connection = connect(uri)
    connections.push(connection)
    const store = open(connection)
    uris.set(store, uri)
    return store
  }
  afterEach(async () => {
    await connections[0]?.dropDatabase()
    await Promise.all(connections.splice(0).map((connection) => connection.close()))
  })
  storeConformance({
    describe,
    it,
    name,
    open: () => opened(bench.newUri()),
    reopen: (store) => opened(uris.get(store)!),
    second: (store) => opened(uris.get(store)!),
  })
}

withMongod('a replica set of one node', 'replica set', (bench) => {
  for (const version of Object.keys(mongooses))
    describe(version, () => conformance('mongo', bench, (connection) => mongo({ connection }), version))
})

withMongod('a standalone server', 'standalone', (bench) => {
  const open = (connection: OpenConnection) => mongo({ connection, standalone: true })
  describe('mongoose 9', () => conformance('mongo, standalone', bench, open, 'mongoose 9'))
})
