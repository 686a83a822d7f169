import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'

/**
 * Runs chat-server.js as a child, and starts it again whenever it was killed: the button of the page kills it with
 * SIGKILL, in the middle of whatever it is doing. The port and the key of the sessions stay the same.
 */
const host = process.env.HOST ?? '127.0.0.1'
const secret = randomBytes(32).toString('base64url')
let port = process.env.PORT ?? '3000'
let stopping = false
let announced = false
/** @type {import('node:child_process').ChildProcess} */
let child

function start() {
  const env = { ...process.env, PORT: port, HOST: host, SECRET: secret }
  child = fork(fileURLToPath(new URL('chat-server.js', import.meta.url)), { env })
  child.once('message', (taken) => {
    port = String(taken)
    if (!announced) console.log(`Kithwire demo: http://${host}:${port}`)
    announced = true
  })
  child.once('exit', (code, signal) => {
    if (stopping || signal !== 'SIGKILL') process.exit(code ?? 1)
    console.log('The server was killed; starting it again.')
    start()
  })
}
start()

for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT']))
  process.on(signal, () => {
    stopping = true
    child.kill('SIGTERM')
  })
