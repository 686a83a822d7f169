import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const examples = fileURLToPath(new URL('../../examples', import.meta.url))

/** An example that runs in a process of its own, as `npm run example` would start it. */
export interface Example {
  /** As the example prints it: `http://127.0.0.1:49152`. */
  address: string
  port: number
  /** Everything that it printed so far, errors included. */
  output(): string
  /** Sends a signal and waits for the end; what the process ended with. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Starts an example on a free port of 127.0.0.1 and waits until it has printed its address.
 * @throws what the example printed, if it ended before
 */
export async function startExample(name: string, env: Record<string, string>): Promise<Example> {
  const child = spawn(process.execPath, ['server.js'], {
    cwd: join(examples, name),
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    return { code, signal } as { code: number | null; signal: NodeJS.Signals | null }
  })
  const address = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)
      if (found) resolve(found[0])
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then(() => reject(new Error(`examples/${name} ended before it printed its address:\n${output}`)))
  })
  return {
    address,
    port: Number(new URL(address).port),
    output: () => output,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}
