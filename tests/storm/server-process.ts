import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface ServerOptions {
  port: number
  db: string
  /** Ms that its drain may take. */
  drainMs: number
}

/** A server process that stands ready, listens, and ends one way or the other. */
export class ServerProcess {
  private readonly ended: Promise<unknown>

  private constructor(private readonly child: ChildProcess) {
    this.ended = once(child, 'exit')
  }

  /** Resolves when it is ready to listen. */
  static async prepare({ port, db, drainMs }: ServerOptions): Promise<ServerProcess> {
    const child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), {
      env: { ...process.env, PORT: String(port), DB: db, DRAIN: String(drainMs) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const server = new ServerProcess(child)
    await server.says('ready')
    return server
  }

  async listen(): Promise<this> {
    const listening = this.says('listening')
    this.child.send('listen')
    await listening
    return this
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }

  /** SIGTERM; resolves when it has drained and gone. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM')
    await this.ended
    if (this.child.exitCode !== 0) throw new Error(`The server ended with ${this.child.exitCode}.`)
  }

  private async says(word: string): Promise<void> {
    const died = this.ended.then(() => Promise.reject(new Error(`The server ended before it was ${word}.`)))
    died.catch(() => {})
    for (;;) {
      const [message] = await Promise.race([once(this.child, 'message'), died])
      if (message === word) return
    }
  }
}
