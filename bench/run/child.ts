import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Every child that lives, so that none is left behind. */
const living = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** Ms after which an answer does not come any more. */
const HANG_MS = 180_000

/** A process of this bench, which answers each order with one message. */
export class Child<Order, Answer extends { is: string }> {
  readonly pid: number
  /** Resolves when it is gone, however it went. */
  readonly ended: Promise<unknown>

  constructor(
    private readonly child: ChildProcess,
    private readonly what: string,
  ) {
    this.pid = child.pid!
    living.add(child)
    this.ended = once(child, 'exit').then(() => living.delete(child))
  }

  static start<Order, Answer extends { is: string }>(
    entry: string,
    environment: Record<string, string> = {},
    execArgv: string[] = [],
  ): Child<Order, Answer> {
    const child = fork(fileURLToPath(new URL(`${entry}.mjs`, import.meta.url)), {
      env: { ...process.env, NODE_ENV: 'production', ...environment },
      execArgv,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    return new Child(child, entry)
  }

  /** Resolves with the message `is`. Rejects when the process ends before. */
  next<Is extends Answer['is']>(is: Is): Promise<Extract<Answer, { is: Is }>> {
    const error = (text: string) => new Error(`The ${this.what} process ${text} before it was ${is}.`)
    return new Promise((resolve, reject) => {
      const hang = setTimeout(() => reject(error(`was silent for ${HANG_MS / 1_000} s`)), HANG_MS)
      const take = (message: Answer) => {
        if (message.is !== is) return
        clearTimeout(hang)
        this.child.off('message', take)
        resolve(message as Extract<Answer, { is: Is }>)
      }
      this.child.on('message', take)
      void this.ended.then(() => {
        clearTimeout(hang)
        reject(error('ended'))
      })
    })
  }

  async ask<Is extends Answer['is']>(order: Order, is: Is): Promise<Extract<Answer, { is: Is }>> {
    const answer = this.next(is)
    this.child.send(order as object)
    return answer
  }

  /** Resolves when it has ended by itself, as the order says. */
  async stop(order: Order): Promise<void> {
    this.child.send(order as object)
    await this.ended
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }
}
