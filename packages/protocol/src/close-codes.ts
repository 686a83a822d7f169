/** What a client does after a close: `reconnect` at random(min, max) ms on top of its backoff, or stop. */
export interface CloseCode {
  readonly name: string
  readonly meaning: string
  readonly reconnect: boolean
  /** Bounds in ms of the wait before the next try; absent: the ordinary backoff alone. */
  readonly wait?: readonly [min: number, max: number]
}

/**
 * Every close code that Kithwire sends or understands. 4000–4499 reconnect, 4500–4999 do not: a code that is not in
 * this table is read by its range.
 */
export const CLOSE_CODES = Object.freeze({
  1000: { name: 'normal', meaning: 'own close()', reconnect: false },
  1001: { name: 'going_away', meaning: 'the peer goes away', reconnect: true },
  1002: { name: 'protocol_error', meaning: 'broken WebSocket frame', reconnect: true },
  1003: { name: 'binary', meaning: 'binary frames are not supported', reconnect: true },
  1005: { name: 'no_status', meaning: 'closed without a code', reconnect: true },
  1006: { name: 'abnormal', meaning: 'the connection was lost', reconnect: true },
  1007: { name: 'bad_utf8', meaning: 'text that is not UTF-8', reconnect: true },
  1008: { name: 'policy', meaning: 'a limit of the connection was passed', reconnect: true },
  1009: { name: 'too_big', meaning: 'a frame beyond the limit', reconnect: true },
  1011: { name: 'server_error', meaning: 'the server failed', reconnect: true, wait: [2_000, 5_000] },
  1012: { name: 'restart', meaning: 'the server restarts', reconnect: true, wait: [0, 10_000] },
  1013: { name: 'overloaded', meaning: 'the server is overloaded', reconnect: true, wait: [5_000, 30_000] },
  4000: { name: 'rebalance', meaning: 'connect again, elsewhere', reconnect: true, wait: [0, 10_000] },
  4001: { name: 'token_expired', meaning: 'the token expired', reconnect: true },
  4003: { name: 'no_pong', meaning: 'the peer did not answer', reconnect: true },
  4005: { name: 'no_hello', meaning: 'no hello in time', reconnect: true },
  4008: { name: 'slow_consumer', meaning: 'the peer reads too slowly', reconnect: true, wait: [1_000, 5_000] },
  4009: { name: 'replaced', meaning: 'replaced by the same device', reconnect: true, wait: [5_000, 30_000] },
  4010: { name: 'epoch_changed', meaning: 'the store has another epoch', reconnect: true },
  4029: { name: 'rate_abuse', meaning: 'far too many frames', reconnect: true, wait: [10_000, 30_000] },
  4500: { name: 'protocol_violation', meaning: 'not this protocol', reconnect: false },
  4501: { name: 'unauthorized', meaning: 'the credentials were refused', reconnect: false },
  4503: { name: 'forbidden', meaning: 'this user may not connect', reconnect: false },
  4506: { name: 'version', meaning: 'no common protocol version', reconnect: false },
  4510: { name: 'too_many_connections', meaning: 'too many connections of this user', reconnect: false },
  4513: { name: 'legacy_disabled', meaning: 'bare frames are not served here', reconnect: false },
} as const satisfies Record<number, CloseCode>)

export type KnownCloseCode = keyof typeof CLOSE_CODES

/** The entry of a code; for a code that is not in the table, what its range says. */
export function closeCode(code: number): CloseCode {
  if (Object.hasOwn(CLOSE_CODES, code)) return CLOSE_CODES[code as KnownCloseCode]
  const reconnect = code < 4500 || code > 4999
  return { name: `code_${code}`, meaning: 'unknown', reconnect }
}
