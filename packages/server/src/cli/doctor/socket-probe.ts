import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { encode, newId, type Runtime, SUBPROTOCOL } from '@kithwire/protocol'
import { WebSocket } from 'ws'

/** What came of one attempt. */
export type Outcome =
  /** `closed` is the code if the server closed it; `welcome` what it said to a hello. */
  | { kind: 'open'; closed?: number; welcome?: true }
  /** A plain HTTP answer; `time` is the server's clock, ms since 1970. */
  | { kind: 'answer'; status: number; text: string; headers: IncomingHttpHeaders; time?: number }
  /** The connection ended without an answer. */
  | { kind: 'cut' }
  /** It opened, and then what came was no WebSocket, or it was cut. */
  | { kind: 'broken'; why: string }
  /** It opened, but without the subprotocol that was asked for. */
  | { kind: 'no protocol' }
  | { kind: 'unreachable'; why: string }

export interface Attempt {
  headers?: Readonly<Record<string, string>>
  origin?: string
  /** Offers `kithwire.v1`; otherwise it is a bare client. @default true */
  v1?: boolean
  token?: string | undefined
  /** Says hello and waits for what the server says to it. Otherwise it is enough that it opens. @default false */
  hello?: boolean
}

/** How long an answer may take, ms. */
const ANSWER_MS = 5_000
const MOST_TEXT = 2_000

const websocketUrl = (url: URL): string => url.href.replace(/^http/, 'ws')

async function answerOf(response: IncomingMessage): Promise<Outcome> {
  let text = ''
  try {
    for await (const chunk of response) if (text.length < MOST_TEXT) text += String(chunk)
  } catch {
    // What came before the end is what there is.
  }
  const { statusCode: status = 0, headers } = response
  const time = Date.parse(headers.date ?? '')
  return { kind: 'answer', status, text, headers, ...(Number.isNaN(time) ? {} : { time }) }
}

/** A plain GET, which a socket's path answers with 426. */
export function get(url: URL, headers: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest
    const sent = request(url, { headers, timeout: ANSWER_MS }, (response) => {
      void answerOf(response).then(resolve)
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${ANSWER_MS / 1_000} s`)))
    sent.on('error', (error) => resolve(failure(error)))
    sent.end()
  })
}

/** Tries to open a socket, and ends it. */
export function open(url: URL, attempt: Attempt, runtime: Runtime): Promise<Outcome> {
  const { headers = {}, origin, v1 = true, token, hello = false } = attempt
  const protocols = v1
    ? [SUBPROTOCOL, ...(token ? [`kithwire.bearer.${Buffer.from(token).toString('base64url')}`] : [])]
    : []
  const socket = new WebSocket(websocketUrl(url), protocols, {
    headers: { ...headers },
    ...(origin === undefined ? {} : { origin }),
    handshakeTimeout: ANSWER_MS,
    perMessageDeflate: false,
  })
  return new Promise((resolve) => {
    let opened = false
    let timer: unknown
    const settle = (outcome: Outcome) => {
      runtime.clearTimer(timer)
      resolve(outcome)
      if (socket.readyState === WebSocket.OPEN) socket.close(1000)
      runtime.setTimer(() => socket.terminate(), 0)
    }
    socket.on('open', () => {
      opened = true
      if (!hello) return settle({ kind: 'open' })
      timer = runtime.setTimer(() => settle({ kind: 'open' }), ANSWER_MS)
      socket.send(encode({ t: 'hello', device: newId(runtime), attempt: 1 }))
    })
    socket.on('message', (data) => {
      if (isWelcome(String(data))) settle({ kind: 'open', welcome: true })
    })
    socket.on('unexpected-response', (_request, response) => {
      void answerOf(response).then(settle)
    })
    socket.on('error', (error) => settle(opened ? { kind: 'broken', why: error.message } : failure(error)))
    socket.on('close', (closed) =>
      settle(
        closed === 1006 ? { kind: 'broken', why: 'it was cut without a closing frame' } : { kind: 'open', closed },
      ),
    )
  })
}

function isWelcome(text: string): boolean {
  try {
    return JSON.parse(text).t === 'welcome'
  } catch {
    return false
  }
}

function failure(error: Error & { code?: string }): Outcome {
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE' || /hang up/.test(error.message)) return { kind: 'cut' }
  if (/subprotocol/.test(error.message)) return { kind: 'no protocol' }
  if (/Invalid|Unexpected|Parse Error/.test(error.message)) return { kind: 'broken', why: error.message }
  return { kind: 'unreachable', why: error.message || error.code || String(error) }
}
