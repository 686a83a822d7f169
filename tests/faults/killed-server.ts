import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface ServerOptions {
  port: number
  db: string
  /** A failpoint as `name:count`. */
  fail?: string
}

/** The places at which `server.mjs` can kill itself. */
export const FAILPOINTS = [
  'authenticate',
  'append-before',
  'append-posted',
  'append-midway',
  'append-after',
  'ack-after',
  'heads-before',
  'heads-after',
  'read-before',
  'read-after',
  'mark-before',
  'mark-after',
] as const

/** A server process with a life of its own, and a violent end. */
export class KilledServer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly ended: Promise<void>,
  ) {}

  static async start({ port, db, fail = '' }: ServerOptions): Promise<KilledServer> {
    const child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), {
      env: { ...process.env, PORT: String(port), DB: db, FAIL: fail },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const ended = once(child, 'exit').then(([code, signal]) => {
      if (signal !== 'SIGKILL') throw new Error(`The server ended by itself: code ${code}, signal ${signal}.`)
    })
    // A failpoint may be passed before the server listens, so either is a start.
    await Promise.race([once(child, 'message'), ended])
    return new KilledServer(child, ended)
  }

  /** Resolves when it was killed, by its failpoint or by `kill`; rejects if it ended in another way. */
  died(): Promise<void> {
    return this.ended
  }

  /** kill -9. */
  kill(): Promise<void> {
    this.child.kill('SIGKILL')
    return this.ended
  }
}
