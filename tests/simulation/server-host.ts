import type { SocketLike } from '@kithwire/protocol'
import type { SeededRandom } from '@kithwire/protocol/testing'
import { Core, type Identity, StoredFriendships } from '@kithwire/server'
import { JournalStore } from './journal-store.js'
import type { Listener } from './network.js'
import { POISON } from './plan.js'
import { Process } from './process.js'
import type { World } from './world.js'

/** Ms that the server lets a drain last before the process ends. */
const DRAIN_MS = 5_000

/** One run of the server process. */
export interface ServerRun {
  process: Process
  core: Core
  friendships: StoredFriendships
  listener: Listener
  draining: boolean
}

/** The machine that the server runs on: starts it, kills it, and does what an operator or an HTTP route asks for. */
export class ServerHost {
  run: ServerRun | undefined
  private starts = 0
  /** A start that waits for the end of the process before. */
  private wanted = false

  constructor(
    private readonly world: World,
    private readonly random: SeededRandom,
    private readonly name: string,
  ) {}

  start(): void {
    this.wanted = this.run !== undefined
    if (this.run) return
    const { bus, clock, journal, plan, network, trace, crashed } = this.world
    const process = new Process(`${this.name}${++this.starts}`, clock, this.random.fork(this.starts), crashed)
    const store = new JournalStore(journal, process, plan.parallel)
    const friendships: StoredFriendships = new StoredFriendships(store.friendships, {
      runtime: process,
      onChange: (conversation, users) => core.membershipChanged(conversation, users),
    })
    const core = new Core({
      runtime: process,
      store,
      friendships,
      limits: { heartbeatMs: plan.heartbeatMs, ...(plan.narrow && { softBuffer: 512 }) },
      ...(bus && { bus: bus.connect(process) }),
    })
    trace.note(process.name, 'start')
    const listener: Listener = {
      process,
      accept: (socket, link) => {
        const user = link.url.split('/').at(-1)!
        if (link.protocol === '') core.acceptLegacy(socket, { user })
        else core.accept(picky(socket, this.world), this.identity(process, user))
      },
    }
    network.listeners.push(listener)
    this.run = { process, core, friendships, listener, draining: false }
  }

  /** Who a user is, for as long as credentials last. They are renewed by whoever shows a token, unless the app is down. */
  private identity(process: Process, user: string): Identity {
    const { clock, plan, calm } = this.world
    if (plan.expiry === 0) return { user }
    return {
      user,
      expires: process.now() + plan.expiry,
      reauthenticate: (token) =>
        process.awaits((resolve, reject) => {
          clock.setTimer(
            () => {
              if (!calm && this.random.chance(0.1)) reject(new Error('the session store does not answer'))
              else resolve(token === user ? { user, expires: process.now() + plan.expiry } : null)
            },
            this.random.integer(0, 50),
          )
        }),
    }
  }

  /** Ends the process at once; a store in a file of its own loses what was not synced. */
  kill(): void {
    if (!this.run) return
    this.world.trace.note(this.run.process.name, 'kill')
    this.ended(this.run)
    if (this.world.plan.embedded) this.world.journal.crash()
    if (this.wanted) this.start()
  }

  /** An orderly restart: drains, then ends. The next process starts when this one is gone. */
  stop(): void {
    const { run } = this
    if (!run || run.draining) return
    run.draining = true
    this.world.trace.note(run.process.name, 'drain')
    this.world.network.unlisten(run.listener)
    void run.core.close({ drainMs: DRAIN_MS }).then(() => {
      this.ended(run)
      if (this.wanted) this.start()
    })
  }

  /** Ends the process at once, and starts none that was to come after it. */
  end(): void {
    this.wanted = false
    this.kill()
  }

  private ended({ process, listener }: ServerRun): void {
    this.world.network.unlisten(listener)
    this.run = undefined
    process.kill()
  }

  /** Does what a route of the app does. False if it failed, or if there is no server; never settles if that dies. */
  async request(name: string, change: (friendships: StoredFriendships) => Promise<unknown>): Promise<boolean> {
    const { run } = this
    if (!run) return false
    const { trace } = this.world
    trace.note(run.process.name, 'request', name)
    try {
      await change(run.friendships)
      trace.note(run.process.name, 'done', name)
      return true
    } catch (error) {
      trace.note(run.process.name, 'failed', `${name}: ${error}`)
      return false
    }
  }
}

/** A connection through a proxy that finds one message too big for it, until faults stop. */
function picky(socket: SocketLike, world: World): SocketLike {
  const listen = socket.listen.bind(socket)
  socket.listen = (listener) =>
    listen({
      ...listener,
      alive: () => listener.alive?.(),
      close: (code, reason) => listener.close(code, reason),
      message: (text) => {
        if (text?.includes(POISON) && !world.calm) socket.close(1009)
        else listener.message(text)
      },
    })
  return socket
}
