/**
 * A server to be killed. PORT and DB say where; FAIL names a failpoint, as `name:count`, at which it kills itself, and
 * LIE what its store pretends (lying-writer.mjs).
 */
import { createServer } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'
import { WsRouter } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'

const [point, at] = (process.env.FAIL ?? '').split(':')
let passed = 0
/** Dies here, as by a power cut of the process, once it has come by often enough. */
const failpoint = (name) => {
  if (name === point && ++passed >= Number(at)) process.kill(process.pid, 'SIGKILL')
}

const lie = process.env.LIE
const writer = lie ? 'lying-writer.mjs' : point.startsWith('writer') ? 'failing-writer.mjs' : undefined
if (writer) {
  threads.Worker = class extends threads.Worker {
    constructor(shipped, options) {
      const workerData = { ...options.workerData, shipped, point, at: Number(at), lie }
      super(new URL(writer, import.meta.url), { ...options, workerData })
    }
  }
  syncBuiltinESMExports()
}

const real = sqlite(process.env.DB, writer ? { thread: true } : {})
/** Where the servers die; everything else is the shipped store's. */
const own = {}
const store = new Proxy(real, {
  get(target, name) {
    if (name in own) return own[name]
    const value = target[name]
    return typeof value === 'function' ? value.bind(target) : value
  },
})
own.append = async (sends) => {
  failpoint('append-before')
  const done = real.append(sends)
  failpoint('append-posted')
  if (point === 'append-midway') setImmediate(() => failpoint('append-midway'))
  const outcomes = await done
  failpoint('append-after')
  if (point === 'ack-after') setImmediate(() => failpoint('ack-after'))
  return outcomes
}
for (const name of ['read', 'heads', 'mark']) {
  own[name] = async (...args) => {
    failpoint(`${name}-before`)
    const answer = await real[name](...args)
    failpoint(`${name}-after`)
    return answer
  }
}

const chat = new WsRouter({
  store,
  authenticate: (_request, { token }) => {
    failpoint('authenticate')
    return token ? { id: token } : null
  },
  // The load is the point here, and all clients have one address.
  limits: { rate: 100_000, burst: 100_000, frameRate: 100_000, frameBurst: 100_000, byteRate: 1e9, byteBurst: 1e9 },
  // What the server itself calls a failure is none of what the kills may lead to.
  log: ({ level, event, fields }) => {
    if (level === 'error') console.error(event, JSON.stringify(fields))
  },
})
const server = createServer()
chat.attach(server, '/chat/ws')
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send?.(process.pid))
