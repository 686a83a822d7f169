/**
 * A client store in IndexedDB, for browsers: what is queued, and what has arrived, outlives the page.
 *
 * @packageDocumentation
 */
import { KithwireError } from '@kithwire/protocol'
import type { ClientStore } from '../client-store.js'
import { IndexedDbStore } from './indexed-db-store.js'

export interface IndexedDbOptions {
  /**
   * Names the databases of this app, one per user. Two clients of one origin that talk to different servers need
   * different names.
   *
   * @default `kithwire` and the host of the server
   */
  name?: string
  /**
   * Messages that are kept of each conversation; up to twice as many before the oldest go. A listener further behind is
   * told of a `gap`, older ones come from `history()`. Of a server that was restored from a backup, own messages that
   * are not kept here are not sent again. At least 200.
   *
   * @default all
   */
  keepMessages?: number
  /** Ms that the browser may take to open a database before memory takes its place. @default 10000 */
  openTimeoutMs?: number
}

/**
 * Makes the option `store` of a client. Tabs of one origin share a database, and one of them has the connection. Where
 * IndexedDB is missing, blocked or full the client goes on in memory, says so by an `error` with the code
 * `not_durable`, and `durable` is false.
 *
 * ```ts
 * new WsRequest(url, { store: indexedDb() })
 * ```
 *
 * @throws KithwireError `bad_option`
 */
export function indexedDb(options: IndexedDbOptions = {}): (user?: string, url?: string) => ClientStore {
  const { name, keepMessages = Number.POSITIVE_INFINITY, openTimeoutMs = 10_000 } = options
  if (name !== undefined && (typeof name !== 'string' || name === '')) throw bad('name', 'a text', name)
  if (!(keepMessages >= 200)) throw bad('keepMessages', 'a number of at least 200', keepMessages)
  if (!(openTimeoutMs > 0)) throw bad('openTimeoutMs', 'a number above 0', openTimeoutMs)
  return (user, url) => {
    const app = name ?? `kithwire ${url === undefined ? '' : new URL(url).host}`
    return new IndexedDbStore(user === undefined ? app : `${app} ${user}`, { keepMessages, openTimeoutMs })
  }
}

const bad = (what: string, expected: string, came: unknown) =>
  new KithwireError('bad_option', `${what}: expected ${expected}, came ${String(came)}.`)
