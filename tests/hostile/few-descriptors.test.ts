import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { cleanup } from '../integration/serve.js'

const script = fileURLToPath(new URL('few-descriptors.mjs', import.meta.url))

/** A socket, once it is open or refused. */
async function attempt(port: number, index: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/user${index}`, { handshakeTimeout: 5_000 })
  cleanup(() => socket.terminate())
  socket.on('error', () => {})
  await new Promise<void>((resolve) => {
    socket.on('open', resolve)
    socket.on('close', () => resolve())
  })
  return socket
}

it.skipIf(process.platform === 'win32')(
  'R12 a server without file descriptors refuses, lives, and takes sockets again afterwards',
  async () => {
    const child = spawn('/bin/sh', ['-c', `ulimit -n 64 && exec "${process.execPath}" "${script}"`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    cleanup(() => child.kill('SIGKILL'))
    const [line] = await once(child.stdout, 'data')
    const port = Number(line)
    const sockets = await Promise.all(Array.from({ length: 90 }, (_, index) => attempt(port, index)))
    const open = sockets.filter(({ readyState }) => readyState === WebSocket.OPEN)
    expect(open.length).toBeGreaterThan(5)
    expect(open.length).toBeLessThan(64)
    expect(child.exitCode).toBeNull()
    for (const socket of sockets) socket.terminate()
    await expect
      .poll(async () => (await attempt(port, 1_000)).readyState, { timeout: 10_000, interval: 100 })
      .toBe(WebSocket.OPEN)
    expect(child.exitCode).toBeNull()
  },
)
