import type { ClientFrame, ServerFrame } from './envelope.js'
import type { WireErrorCode } from './errors.js'
import { checkKeys, Fields, kindOf } from './fields.js'
import { isInteger, isObject } from './guards.js'
import { DEFAULT_LIMITS, type Limits } from './limits.js'
import { readPlainSend } from './plain-send.js'
import { readClientFrame } from './read-client.js'
import { readServerFrame } from './read-server.js'
import { VERSION } from './version.js'

/** What is wrong with a frame: a code, and a sentence that says what was expected and what came. */
export interface Problem {
  code: Extract<WireErrorCode, 'bad_frame' | 'bad_field' | 'too_large' | 'unknown_type'>
  message: string
  /** The `n` of the frame, if it could be read, so that the answer can name it; of a server's answer its `re`. */
  re?: number
  /** The `t` of the frame, if it could be read. */
  type?: string
}

export type Decoded<Frame> = { ok: true; frame: Frame } | { ok: false; problem: Problem }

/** One text frame. The envelope's version is added here, so that no caller can forget it. */
export function encode(frame: ClientFrame | ServerFrame): string {
  return JSON.stringify({ v: VERSION, ...frame })
}

/**
 * Reads a frame that a client sent. Never throws, whatever came, and copies only fields that it knows.
 *
 * @param limits the server's own; an item of a `send` beyond them is reported in `invalid`, with the items before it.
 */
export function decodeClientFrame(
  text: string,
  limits: Pick<Limits, 'content'> = DEFAULT_LIMITS,
): Decoded<ClientFrame> {
  const plain = readPlainSend(text, limits)
  return plain ? { ok: true, frame: plain } : decode(text, (type, fields) => readClientFrame(type, fields, limits))
}

/** Reads a frame that a server sent. Never throws. A type that is not known is `unknown_type`, which a client ignores. */
export function decodeServerFrame(text: string): Decoded<ServerFrame> {
  return decode(text, readServerFrame)
}

function decode<Frame>(text: string, read: (type: string, fields: Fields) => Frame | undefined): Decoded<Frame> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return bad('bad_frame', 'Expected one JSON object in a frame, came text that is not JSON.')
  }
  if (!isObject(value)) return bad('bad_frame', `Expected one JSON object in a frame, came ${kindOf(value)}.`)
  const keys = checkKeys(value)
  if (keys !== undefined) return { ok: false, problem: keys }
  const fields = new Fields(value)
  const version = fields.get('v')
  const type = fields.get('t')
  if (version !== VERSION || typeof type !== 'string')
    return bad(
      'bad_frame',
      `Expected {"v": ${VERSION}, "t": "<type>", …}, came v: ${kindOf(version)}, t: ${kindOf(type)}.`,
    )
  const frame = read(type, fields)
  const problem = fields.problem
  if (problem === undefined && frame !== undefined) return { ok: true, frame }
  const answer: Problem = problem ?? {
    code: 'unknown_type',
    message: `Expected a type of ${VERSION}, came another one.`,
  }
  const n = fields.get('n') ?? fields.get('re')
  // Only what an answer may carry: one that names -1 could not be read.
  if (isInteger(n, 0)) answer.re = n
  answer.type = type.slice(0, 32)
  return { ok: false, problem: answer }
}

function bad(code: Problem['code'], message: string): { ok: false; problem: Problem } {
  return { ok: false, problem: { code, message } }
}
