import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface ServerOptions {
  port: number
  db: string
  /** A failpoint as `name:count`. */
  fail?: string
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

  constructor({ port, db, fail = '' }: ServerOptions) {
    this.child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), {
      env: { ...process.env, PORT: String(port), DB: db, FAIL: fail },
      // Those of the test runner are not for a server.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.died = once(this.child, 'exit').then(([code, signal]) => {
      if (signal !== 'SIGKILL') throw new Error(`The server ended by itself: code ${code}, signal ${signal}.`)
      if (!this.child.killed) this.suicide = true
    })
    this.died.catch(() => {})
    this.ready = Promise.race([once(this.child, 'message'), this.died])
    this.ready.catch(() => {})
  }

  /** kill -9. Resolves when the process is gone. */
  kill(): Promise<void> {
    this.child.kill('SIGKILL')
    return this.died
  }
}
