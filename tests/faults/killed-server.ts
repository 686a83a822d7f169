import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface ServerOptions {
  port: number
  db: string
  /** A failpoint as `name:count`. */
  fail?: string
  /** What the store pretends: `early` or `unsynced`, see lying-writer.mjs. */
  lie?: string
  /** A command that runs the server, such as strace, with its arguments. */
  under?: readonly string[]
}

/** A server process with a life of its own, and a violent end. */
export class KilledServer {
  /** Monotonic clock at which the process was started. */
  readonly started = performance.now()
  /** Resolves when it listens, or was killed before. */
  readonly ready: Promise<unknown>
  /** Resolves when it was killed, by its failpoint or by `kill`; rejects if it ended in another way. */
  readonly died: Promise<void>
  /** Whether it was its failpoint that ended it. */
  suicide = false
  private readonly child: ChildProcess
  private pid: number | undefined
  private murdered = false

  constructor({ port, db, fail = '', lie = '', under = [] }: ServerOptions) {
    const script = fileURLToPath(new URL('server.mjs', import.meta.url))
    const [command, ...args] = [...under, process.execPath, script]
    this.child = spawn(command!, args, {
      env: { ...process.env, PORT: String(port), DB: db, FAIL: fail, LIE: lie },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    if (under.length === 0) this.pid = this.child.pid
    this.died = once(this.child, 'exit').then(([code, signal]) => {
      if (signal !== 'SIGKILL') throw new Error(`The server ended by itself: code ${code}, signal ${signal}.`)
      this.suicide = !this.murdered
    })
    this.died.catch(() => {})
    const listening = once(this.child, 'message').then(([pid]) => {
      this.pid = pid as number
    })
    this.ready = Promise.race([listening, this.died])
    this.ready.catch(() => {})
  }

  /** kill -9. Resolves when the process is gone. Of a server under another command, only once it is ready. */
  kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null && this.pid !== undefined) {
      this.murdered = true
      process.kill(this.pid, 'SIGKILL')
    }
    return this.died
  }
}
