import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ServerLimits } from '@kithwire/server'

export interface RadioOptions {
  db: string
  readers: number
  pairs: number
  limits: Partial<ServerLimits>
  /** Messages per second. */
  rate: number
  /** Of one message. */
  bytes: number
  /** Ms after which it believes that no more readers will be let go. */
  patienceMs: number
}

export interface RadioState {
  /** The most bytes that ever waited in the process for one socket. */
  buffered: number
  /** The most memory that it ever took, since `memory` was asked. */
  rss: number
  stats: Record<string, number>
}

export interface Answers {
  start: null
  /** What the radio has said. */
  stop: { content: string; ack?: { cid: string; seq: number; id: string } }[]
  /** Memory after a collection. */
  memory: { rss: number }
  /** When all readers were let go, or its patience is at an end. */
  end: RadioState
}

/** The server process, by what can be asked of it. */
export class RadioServer {
  port = 0
  private asked = 0
  private readonly waiting = new Map<number, (answer: never) => void>()
  private readonly ended: Promise<unknown>

  private constructor(private readonly child: ChildProcess) {
    this.ended = once(child, 'exit')
    child.on('message', ({ number, answer }: { number: number; answer: never }) => {
      this.waiting.get(number)?.(answer)
      this.waiting.delete(number)
    })
  }

  static async start(options: RadioOptions): Promise<RadioServer> {
    const { db, readers, pairs, limits, rate, bytes, patienceMs } = options
    const text = { DB: db, LIMITS: JSON.stringify(limits) }
    const settings = { ...text, READERS: readers, PAIRS: pairs, RATE: rate, BYTES: bytes, PATIENCE: patienceMs }
    const env = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]))
    const child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), {
      env: { ...process.env, ...env },
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const server = new RadioServer(child)
    server.port = await server.answer<number>(0)
    return server
  }

  async ask<Question extends keyof Answers>(ask: Question): Promise<Answers[Question]> {
    const number = ++this.asked
    const answer = this.answer<Answers[Question]>(number)
    this.child.send({ ask, number })
    return answer
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }

  private answer<Answer>(number: number): Promise<Answer> {
    const died = this.ended.then(() => Promise.reject(new Error('The server ended by itself.')))
    died.catch(() => {})
    return Promise.race([new Promise<Answer>((resolve) => this.waiting.set(number, resolve)), died])
  }
}
