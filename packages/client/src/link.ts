import {
  type Ack,
  type Authenticated,
  type ClientFrame,
  type ErrorFrame,
  encode,
  KithwireError,
  type Page,
  type Pong,
  type ServerFrame,
  type SocketLike,
} from '@kithwire/protocol'

/** Client frames that exactly one frame answers. */
type Question = Extract<ClientFrame, { n: number }>
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

export type Answer = Ack | Page | Pong | Authenticated | ErrorFrame

/** What answers each question, beside an `error`. */
const ANSWERS = { send: 'ack', sync: 'page', ping: 'pong', auth: 'auth' } as const satisfies Record<
  Question['t'],
  Answer['t']
>

interface Waiting {
  answer: Answer['t']
  resolve(answer: Answer): void
  reject(error: KithwireError): void
}

/** One socket and the questions under way on it. Everybody who keeps one asks `live` before acting on what it said. */
export class Link {
  /** False once another socket, or none, has taken its place: its events mean nothing any more. */
  live = true
  socket: SocketLike | undefined
  private n = 0
  private readonly waiting = new Map<number, Waiting>()

  /** Sends a frame that nothing answers. */
  post(frame: ClientFrame): void {
    if (this.live) this.socket?.send(encode(frame))
  }

  /**
   * Asks; resolves with the one frame that answers. No deadline: as long as other frames arrive, an answer may still
   * come, and asking again on another socket would be no faster.
   *
   * @throws KithwireError `unknown_outcome` when the socket ends first
   */
  call(question: Without<Question, 'n'>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.live) return reject(new KithwireError('unknown_outcome'))
      const n = ++this.n
      this.waiting.set(n, { answer: ANSWERS[question.t], resolve, reject })
      this.post({ ...question, n } as Question)
    })
  }

  /** True if the frame answered a question. */
  answer(frame: ServerFrame): boolean {
    if (!('re' in frame) || frame.re === undefined) return false
    const waiting = this.waiting.get(frame.re)
    if (waiting === undefined) return false
    if (frame.t === waiting.answer || frame.t === 'error') waiting.resolve(frame)
    else this.garbled(frame.re, `Expected ${waiting.answer}, came ${frame.t}.`)
    this.waiting.delete(frame.re)
    return true
  }

  /** The answer to `re` came, but cannot be read. */
  garbled(re: number, message: string): void {
    this.waiting.get(re)?.resolve({ t: 'error', re, code: 'bad_frame', message, fatal: false })
    this.waiting.delete(re)
  }

  end(): void {
    this.live = false
    for (const { reject } of this.waiting.values()) reject(new KithwireError('unknown_outcome'))
    this.waiting.clear()
  }
}
