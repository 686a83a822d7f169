import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { root } from '../packaging/packages.js'

const data = mkdtempSync(join(tmpdir(), 'kithwire-command-'))
let npm: ChildProcess | undefined

afterEach(() => {
  npm?.kill('SIGKILL')
  rmSync(data, { recursive: true, force: true })
})

/** Settles once nothing listens on the port any more. */
async function closed(port: number): Promise<void> {
  for (;;) {
    const socket = createConnection(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    if (!open) return
    // The server ends this connection when it stops.
    await once(socket, 'close')
  }
}

it('npm run example starts one, and a signal to npm ends it', async () => {
  const env = { ...process.env, PORT: '0', HOST: '127.0.0.1', DATA: data }
  npm = spawn('npm', ['run', 'example', '--', 'article'], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const address = await new Promise<string>((resolve, reject) => {
    npm!.once('close', () => reject(new Error(`it ended:\n${output}`)))
    for (const stream of [npm!.stdout!, npm!.stderr!])
      stream.on('data', (chunk) => {
        output += chunk
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)
        if (found) resolve(found[0])
      })
  })
  const history = `${address}/messages/5d1327c65793f14020a979ca?friendId=5d1328295793f14020a979d5`
  expect(await (await fetch(history)).json()).toEqual([])
  npm.kill('SIGTERM')
  await closed(Number(new URL(address).port))
}, 120_000)
