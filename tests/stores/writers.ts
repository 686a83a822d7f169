import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('./writer.mjs', import.meta.url))

export interface Task {
  name: string
  /** How many sends, over how many conversations. */
  sends: number
  conversations: number
  /** The one cid of all sends, by one user; without it each send has its own. */
  cid?: string
  /** Sends per call. @default 1 */
  batch?: number
}

export interface Acknowledged {
  conversation: string
  from: string
  cid: string
  seq: number
  id: string
  duplicate: boolean
  refused?: { code: string }
}

export interface Writer {
  ready: Promise<void>
  go(): void
  kill(): void
  /** What was acknowledged until the process ended, however it ended. */
  done: Promise<{ acknowledged: Acknowledged[]; code: number | null; errors: string }>
}

/** Starts a process that writes to `file`. `watch` is called for each acknowledgement. */
export function startWriter(file: string, thread: boolean, task: Task, watch?: (count: number) => void): Writer {
  const child: ChildProcess = spawn(process.execPath, [SCRIPT, file, String(thread), JSON.stringify(task)])
  const acknowledged: Acknowledged[] = []
  let errors = ''
  child.stderr!.on('data', (chunk) => {
    errors += chunk
  })
  // Killed before it has read its input.
  child.stdin!.on('error', () => {})
  const done: Writer['done'] = new Promise((resolve) => {
    child.on('close', (code) => resolve({ acknowledged, code, errors }))
  })
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (line === 'ready') return resolve()
      // The last line of a process that was killed may be a part of one.
      if (!line.endsWith('}')) return
      acknowledged.push(JSON.parse(line))
      watch?.(acknowledged.length)
    })
    done.then(({ errors }) => reject(new Error(`The writer ended too early: ${errors}`)))
  })
  ready.catch(() => {})
  return { ready, go: () => void child.stdin!.write('go\n'), kill: () => void child.kill('SIGKILL'), done }
}
