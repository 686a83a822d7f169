/**
 * A client store in a folder, for clients on Node: bots, bridges, command lines.
 *
 * @packageDocumentation
 */
import { join } from 'node:path'
import { KithwireError } from '@kithwire/protocol'
import type { ClientStore } from '../client-store.js'
import { FileStore } from './file-store.js'
import { TRANSACTIONS, type TransactionName } from './transactions.js'

export interface FileStoreOptions {
  /**
   * Messages that are kept of each conversation; up to twice as many before the oldest go. All that are kept are in
   * memory as well. A listener further behind is told of a `gap`, older ones come from `history()`. Of a server that was
   * restored from a backup, own messages that are not kept here are not sent again. At least 200.
   *
   * @default all
   */
  keepMessages?: number
}

/**
 * Makes the option `store` of a client: a file per user and server in a folder, on the disk (`fsync`) before anything
 * counts as queued or received, and whole whenever the process is killed. Clients of one process share it; a second
 * process gets an error with the code `bad_state` until the first one has ended. Stores of one process on one folder come
 * from one `fileStore`.
 *
 * ```ts
 * new WsRequest(url, { store: fileStore('/var/lib/bot/chat') })
 * ```
 *
 * @throws KithwireError `bad_option`
 */
export function fileStore(
  folder: string,
  { keepMessages = Number.POSITIVE_INFINITY }: FileStoreOptions = {},
): (user?: string, url?: string) => ClientStore {
  if (typeof folder !== 'string' || folder === '') throw bad('folder', 'the path of a folder', folder)
  if (!(keepMessages >= 200)) throw bad('keepMessages', 'a number of at least 200', keepMessages)
  const stores = new Map<string, { store: FileStore; clients: number }>()
  return (user, url) => {
    const path = join(folder, nameOf(user, url))
    const shared = stores.get(path) ?? { store: new FileStore(path, { keepMessages }), clients: 0 }
    stores.set(path, shared)
    shared.clients++
    const forget = () => {
      if (stores.get(path) === shared) stores.delete(path)
    }
    return clientOf(shared.store, forget, async () => {
      if (--shared.clients > 0) return
      forget()
      await shared.store.close()
    })
  }
}

/** What one client has of a store that it may share. */
function clientOf(store: FileStore, forget: () => void, leave: () => Promise<void>): ClientStore {
  const names = Object.keys(TRANSACTIONS) as TransactionName[]
  const calls = names.map((name) => [name, (...args: unknown[]) => store.call(name, args)])
  const ends = new Set<() => void>()
  const until = (end: () => void) => {
    ends.add(end)
    return end
  }
  let left: Promise<void> | undefined
  return {
    ...(Object.fromEntries(calls) as Pick<ClientStore, TransactionName>),
    durable: true,
    watch: (look) => until(store.watch(look)),
    tell: (change) => store.tell(change),
    lead: (granted) => until(store.lead(granted)),
    wipe() {
      forget()
      return store.wipe()
    },
    close() {
      for (const end of ends) end()
      left ??= leave()
      return left
    },
  }
}

/** A file's name, for any user id and server: what is no letter, digit, dot or dash is written as in a URL. */
function nameOf(user = '', url: string | undefined): string {
  const host = url === undefined ? '' : new URL(url).host
  const safe = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*~_]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
  return `${safe(host)}_${safe(user)}.chat`
}

const bad = (what: string, expected: string, came: unknown) =>
  new KithwireError('bad_option', `${what}: expected ${expected}, came ${String(came)}.`)
