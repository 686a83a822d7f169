import type { Runtime } from '@kithwire/protocol'

export type LogLevel = 'info' | 'warn' | 'error'

export type LogFields = { readonly [name: string]: string | number | boolean | undefined }

/** One line. `event` is a fixed word of the code; fields hold no content of messages and no tokens. */
export interface LogLine {
  level: LogLevel
  event: string
  /** Ms since 1970. */
  at: number
  fields: LogFields
}

/** Where lines go: the app's own logger, or `jsonLines`. */
export type Logger = (line: LogLine) => void

/** A logger that writes each line as one JSON object. */
export const jsonLines =
  (write: (text: string) => void): Logger =>
  ({ at, level, event, fields }) =>
    write(JSON.stringify({ at, level, event, ...fields }))

const MOST_INPUT = 512
const MINUTE = 60_000
// C0, DEL, C1, the line and paragraph separators, and what reorders text: all that can forge or hide a line.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Escapes what could forge a line, and cuts to 512 UTF-16 units. */
export function escapeInput(text: string): string {
  return text.slice(0, MOST_INPUT).replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * When each event of one socket was last written; made by the socket's session, so that it goes with it. Most write
 * nothing, and an empty `Map` for each of them would be a fifth of a kilobyte.
 */
export interface LogThrottle {
  writtenAt?: Map<string, number>
}

/** Makes a logger safe to hand input to: escapes, cuts, keeps one line per socket, event and minute, never throws. */
export class Log {
  constructor(
    private readonly runtime: Runtime,
    private readonly logger: Logger | undefined,
  ) {}

  write(level: LogLevel, event: string, fields: LogFields = {}, throttle?: LogThrottle): void {
    if (this.logger === undefined || (throttle && !this.mayWrite(event, throttle))) return
    const safe: Record<string, string | number | boolean | undefined> = {}
    for (const [name, value] of Object.entries(fields))
      safe[name] = typeof value === 'string' ? escapeInput(value) : value
    try {
      this.logger({ level, event, at: this.runtime.now(), fields: safe })
    } catch {
      // A logger that fails must not take a socket with it, and there is nobody left to tell.
    }
  }

  /** An error that nobody expected, by its name and message; a stack would not be one line. */
  failure(event: string, cause: unknown, fields: LogFields = {}, throttle?: LogThrottle): void {
    const error = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
    this.write('error', event, { ...fields, error }, throttle)
  }

  private mayWrite(event: string, throttle: LogThrottle): boolean {
    const now = this.runtime.monotonic()
    throttle.writtenAt ??= new Map()
    const last = throttle.writtenAt.get(event)
    if (last !== undefined && now - last < MINUTE) return false
    throttle.writtenAt.set(event, now)
    return true
  }
}
