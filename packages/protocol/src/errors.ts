/**
 * Codes that travel on the wire in `error` and in `refused`. `retry` says whether the same request may succeed later
 * without being changed. A code, its meaning and its `retry` never change; new codes may come.
 */
export const WIRE_ERRORS = Object.freeze({
  bad_frame: { retry: false, message: 'The frame is not a JSON object of this protocol.' },
  bad_field: { retry: false, message: 'A field is missing or of the wrong form.' },
  too_large: { retry: false, message: 'The content is larger than the limit in `welcome`.' },
  unauthorized: { retry: true, message: 'The credentials are missing, wrong or expired.' },
  not_found: { retry: false, message: 'There is no such conversation, or you are not a member of it.' },
  blocked: { retry: false, message: 'One of the two has blocked the other.' },
  cid_conflict: { retry: false, message: 'This cid was used for other content.' },
  rate_limited: { retry: true, message: 'Too many messages; wait `after` milliseconds.' },
  busy: { retry: true, message: 'The server is busy, or a send of this conversation is still under way.' },
  store_unavailable: { retry: true, message: 'The store did not answer; the outcome is unknown.' },
  unknown_type: { retry: false, message: 'The server does not know this type.' },
  cursor_invalid: { retry: false, message: 'The cursor is beyond the head of the conversation.' },
  token_expired: { retry: true, message: 'The credentials expire; send `auth` within 30 seconds.' },
  internal: { retry: true, message: 'The server failed; the outcome is unknown.' },
} as const)

export type WireErrorCode = keyof typeof WIRE_ERRORS

/** Codes that a library raises on its own side and that never travel. */
export const LOCAL_ERRORS = Object.freeze({
  bad_option: { retry: false, message: 'An option is missing or of the wrong form.' },
  closed: { retry: false, message: 'The client or the server was closed.' },
  aborted: { retry: false, message: 'The signal was aborted.' },
  outbox_full: { retry: true, message: 'The outbox has reached its limit; nothing that was queued is dropped.' },
  unknown_outcome: { retry: true, message: 'It is not known whether the message was stored.' },
  forbidden: { retry: false, message: 'The server does not let this user in.' },
  unsupported_version: {
    retry: false,
    message: 'The server speaks no version of the protocol that this client knows.',
  },
  too_many_connections: { retry: false, message: 'This user has too many connections.' },
  protocol_violation: { retry: false, message: 'The server closed the socket for a violation of the protocol.' },
  conflict: { retry: true, message: 'Somebody else changed it at the same time.' },
  bad_state: { retry: false, message: 'This is not possible in the present state.' },
  missing_dependency: { retry: false, message: 'An optional package is not installed.' },
  not_durable: { retry: false, message: 'Messages are kept in memory only, and are lost when this page ends.' },
  store_failed: { retry: true, message: 'The client store failed.' },
} as const)

export type KithwireErrorCode = WireErrorCode | keyof typeof LOCAL_ERRORS

export function isWireErrorCode(value: unknown): value is WireErrorCode {
  return typeof value === 'string' && Object.hasOwn(WIRE_ERRORS, value)
}

/** The only error class that Kithwire throws. Tell errors apart by `code`, which is stable; `message` is for people. */
export class KithwireError extends Error {
  override readonly name = 'KithwireError'
  readonly code: KithwireErrorCode
  /** Whether the same call may succeed later without being changed. */
  readonly retry: boolean

  constructor(code: KithwireErrorCode, message?: string, options?: { cause?: unknown }) {
    const entry: { retry: boolean; message: string } = { ...LOCAL_ERRORS, ...WIRE_ERRORS }[code]
    super(message ?? entry.message, options)
    this.code = code
    this.retry = entry.retry
  }
}
