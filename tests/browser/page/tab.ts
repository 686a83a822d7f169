import {
  type ClientStore,
  type KithwireError,
  type SocketFactory,
  WsRequest,
  type WsRequestOptions,
} from '@kithwire/client'
import { indexedDb } from '@kithwire/client/indexed-db'
import { browserSocket } from '../../../packages/client/src/socket-browser.js'
import { clientStoreConformance } from '../../../packages/client/src/testing/client-store-conformance.js'

/** What a tab of the tests has seen, and what it can be told to do. Tests reach it as `tab` in the page. */
class Tab {
  /** Contents in the order in which the app was given them. */
  readonly seen: string[] = []
  readonly errors: string[] = []
  readonly states: string[] = []
  /** Contents that are known to be stored for good. */
  readonly sent: string[] = []
  /** Contents that are queued for good. */
  readonly queued: string[] = []
  private client: WsRequest | undefined

  get chat(): WsRequest {
    return this.client!
  }

  /** @param mute what is sent never leaves the page: the outbox is written, and nothing else happens */
  open(user: string, mute = false): void {
    const options: WsRequestOptions = mute ? { socket: muteSocket } : {}
    const client = new WsRequest(`ws://${location.host}/chat/ws`, { token: user, user, store: indexedDb(), ...options })
    this.client = client
    // From the first entry on, so that a tab shows whether something is missing.
    client.onMessage((message) => void this.seen.push(message.content), { after: {} })
    client.on('error', (error: KithwireError) => this.errors.push(`${error.code} ${error.message}`))
    client.on('state', (state) => this.states.push(state))
  }

  /** Resolves when it is in the outbox, as far as the app can know. */
  async send(conversation: string, content: string): Promise<void> {
    this.chat.send({ conversation, content }).then(
      () => this.sent.push(content),
      (error: KithwireError) => this.errors.push(`${error.code} ${content}`),
    )
    await this.chat.outgoing(conversation)
    this.queued.push(content)
  }

  /** Resolves when nothing waits to be sent any more, by whichever tab. */
  async drained(): Promise<void> {
    for (;;) {
      const change = new Promise((resolve) => this.chat.once('outgoing', resolve))
      if ((await this.chat.outgoing()).every((row) => row.state === 'failed')) return
      await change
    }
  }

  /** How many records there are in all databases of this origin. */
  async records(): Promise<number> {
    const answer = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve) => {
        request.onsuccess = () => resolve(request.result)
      })
    let sum = 0
    for (const { name } of await indexedDB.databases()) {
      const db = await answer(indexedDB.open(name!))
      for (const store of db.objectStoreNames) sum += await answer(db.transaction(store).objectStore(store).count())
      db.close()
    }
    return sum
  }

  /** Whether this tab is the one that connects. */
  async leads(): Promise<boolean> {
    const { held = [] } = await navigator.locks.query()
    return navigator.locks.request('who am I', async () => {
      const { held: now = [] } = await navigator.locks.query()
      const own = now.find(({ name }) => name === 'who am I')?.clientId
      return held.some(({ name, clientId }) => name?.startsWith('kithwire') && clientId === own)
    })
  }

  /** Runs the conformance suite of client stores; the names of its cases, and what went wrong in those that failed. */
  async conformance(): Promise<{ cases: string[]; failures: string[] }> {
    const cases: [name: string, run: () => Promise<void>][] = []
    let made = 0
    const make = (): ClientStore => indexedDb({ name: `conformance ${++made}` })()
    clientStoreConformance('IndexedDB', make, (name, run) => void cases.push([name, run]))
    const failures: string[] = []
    for (const [name, run] of cases) await run().catch((error: Error) => failures.push(`${name}: ${error.message}`))
    return { cases: cases.map(([name]) => name), failures }
  }
}

/** A socket that loses every `send` frame. */
const muteSocket: SocketFactory = (url, protocols) => {
  const socket = browserSocket(url, protocols)
  const { send } = socket
  socket.send = (text, done) => {
    if (JSON.parse(text).t !== 'send') send(text, done)
  }
  return socket
}

declare global {
  var tab: Tab
}

globalThis.tab = new Tab()
