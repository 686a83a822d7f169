import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Store, WsRouter } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'
import type { Place } from './run.js'
import { slowed } from './slow-store.js'
import { Ticker } from './ticker.js'

export interface PlaceOptions {
  /** Puts something in front of the store. */
  wrap?(store: Store): Store
  makeStore?: Place['makeStore']
  /** @default 10000 */
  stuckMs?: number
}

/** In memory where there is such a place: nobody loses power here, and a hundred commits a run wait for no disk. */
const SHELF = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** A server on a SQLite file of its own, for many runs at once. */
export async function openPlace({ wrap = (store) => store, makeStore, stuckMs = 10_000 }: PlaceOptions = {}) {
  const directory = await mkdtemp(join(SHELF, 'kithwire-cut-'))
  // In this thread, so that nothing moves behind the back of those who watch it.
  const store = slowed(wrap(sqlite(join(directory, 'chat.db'), { thread: false })))
  const many = 1e6
  const chat = new WsRouter({
    store,
    authenticate: (_request, { token }) => (token ? { id: token.split('.')[0]! } : null),
    // All have one address, and none is here to meet a limit.
    limits: {
      ...{ handshakeRate: many, handshakeBurst: many, connectionsPerAddress: many, pendingHellos: many },
      ...{ rate: many, burst: many, frameRate: many, frameBurst: many, byteRate: 1e9, byteBurst: 1e9 },
    },
    log: () => {},
  })
  const server = createServer()
  chat.attach(server, '/chat/ws')
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const place: Place = { chat, store, port: (server.address() as AddressInfo).port, ticker: new Ticker(stuckMs) }
  if (makeStore) place.makeStore = makeStore
  const close = async () => {
    await chat.close({ drainMs: 0 })
    await new Promise((resolve) => server.close(resolve))
    await store.close()
    await rm(directory, { recursive: true })
  }
  return { place, close }
}
