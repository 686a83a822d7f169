import type { FromServer, ServerPlan, ToServer } from '../messages.js'
import type { Start } from './peer.js'

/** Only what a server needs is loaded into its process. */
const STARTS: Record<string, () => Promise<Start>> = {
  relay: async () => (await import('./relay.js')).relay,
  socketIo: async () => (await import('./socket-io.js')).socketIo,
  socketIoFull: async () => (await import('./socket-io.js')).socketIoFull,
  socketIoNormal: async () => (await import('./socket-io.js')).socketIoNormal,
  article: async () => (await import('./article.js')).article,
  kithwireMemory: async () => (await import('./kithwire.js')).kithwireMemory,
  kithwireSqlite: async () => (await import('./kithwire.js')).kithwireSqlite,
  kithwireSqliteThreaded: async () => (await import('./kithwire.js')).kithwireSqliteThreaded,
  kithwireMongo: async () => (await import('./kithwire.js')).kithwireMongo,
}

/** The entry of a server process: starts the peer that BENCH names, and answers its parent. */
const plan: ServerPlan = JSON.parse(process.env.BENCH!)
const tell = (message: FromServer) => void process.send!(message)

process.on('message', ({ do: order }: ToServer) => {
  if (order === 'stop') process.exit(0)
  if (order === 'usage') {
    const { user, system } = process.cpuUsage()
    return tell({ is: 'usage', microseconds: user + system })
  }
  // The last resort gives room back to the system that V8 would keep for the next burst: some 80 MB after
  // 8,000 have come at once, since Node 24.
  const { gc } = globalThis as { gc?(how: object): void }
  for (let time = 0; time < 2; time++) gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  tell({ is: 'collected' })
})
process.on('disconnect', () => process.exit(0))

tell({ is: 'listening', ...(await (await STARTS[plan.peer]!())(plan)) })
