import type { ServerResponse } from 'node:http'
import { KithwireError, type KithwireErrorCode } from '@kithwire/protocol'

/** The HTTP status of each code; what is not here is a fault of the server. */
const STATUS = new Map<KithwireErrorCode, number>([
  ['bad_frame', 400],
  ['bad_field', 400],
  ['unauthorized', 401],
  ['blocked', 403],
  ['forbidden', 403],
  ['not_found', 404],
  ['bad_state', 409],
  ['conflict', 409],
  ['cid_conflict', 409],
  ['too_large', 413],
  ['rate_limited', 429],
  ['busy', 503],
  ['store_unavailable', 503],
  ['closed', 503],
])

/** A refusal of HTTP itself, which has no code on the wire. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}

export const badRequest = (message: string): KithwireError => new KithwireError('bad_field', message)

/** Answers with JSON. Nothing of ours may be cached, or guessed to be of another type. */
export function sendJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  })
  response.end(body)
}

/** Answers `{ error: { code, message } }`, without a stack and without the words of a driver. True if it was unexpected. */
export function sendError(response: ServerResponse, cause: unknown): boolean {
  const { status, code, message, headers } = describe(cause)
  if (response.headersSent || response.destroyed) response.destroy()
  else {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    sendJson(response, status, JSON.stringify({ error: { code, message } }))
  }
  return status === 500
}

function describe(cause: unknown): Pick<HttpError, 'status' | 'code' | 'message' | 'headers'> {
  if (cause instanceof HttpError) return cause
  const status = cause instanceof KithwireError ? STATUS.get(cause.code) : undefined
  if (status === undefined) return { status: 500, code: 'internal', message: 'The server failed.', headers: {} }
  const { code, message } = cause as KithwireError
  return { status, code, message, headers: {} }
}
