/** What a client does after a close: `reconnect` at random(min, max) ms on top of its backoff, or stop. */
export interface CloseCode {
  readonly name: string
  readonly reconnect: boolean
  /** Bounds in ms of the wait before the next try; absent: the ordinary backoff alone. */
  readonly wait?: readonly [min: number, max: number]
}

/**
 * Every close code that Kithwire sends or understands. 4000–4499 reconnect, 4500–4999 do not: a code that is not in
 * this table is read by its range.
 */
export const CLOSE_CODES = Object.freeze({
  /** Own `close()`. */
  1000: { name: 'normal', reconnect: false },
  /** The peer goes away. */
  1001: { name: 'going_away', reconnect: true },
  /** Broken WebSocket frame. */
  1002: { name: 'protocol_error', reconnect: true },
  /** Binary frames are not supported. */
  1003: { name: 'binary', reconnect: true },
  /** Closed without a code. */
  1005: { name: 'no_status', reconnect: true },
  /** The connection was lost. */
  1006: { name: 'abnormal', reconnect: true },
  /** Text that is not UTF-8. */
  1007: { name: 'bad_utf8', reconnect: true },
  /** A limit of the connection was passed. */
  1008: { name: 'policy', reconnect: true },
  /** A frame beyond the limit. */
  1009: { name: 'too_big', reconnect: true },
  /** The server failed. */
  1011: { name: 'server_error', reconnect: true, wait: [2_000, 5_000] },
  /** The server restarts. */
  1012: { name: 'restart', reconnect: true, wait: [0, 10_000] },
  /** The server is overloaded. */
  1013: { name: 'overloaded', reconnect: true, wait: [5_000, 30_000] },
  /** Connect again, elsewhere. */
  4000: { name: 'rebalance', reconnect: true, wait: [0, 10_000] },
  /** The token expired. */
  4001: { name: 'token_expired', reconnect: true },
  /** The peer did not answer. */
  4003: { name: 'no_pong', reconnect: true },
  /** No hello in time. */
  4005: { name: 'no_hello', reconnect: true },
  /** The peer reads too slowly. */
  4008: { name: 'slow_consumer', reconnect: true, wait: [1_000, 5_000] },
  /** Replaced by the same device. */
  4009: { name: 'replaced', reconnect: true, wait: [5_000, 30_000] },
  /** The store has another epoch. */
  4010: { name: 'epoch_changed', reconnect: true },
  /** Far too many frames. */
  4029: { name: 'rate_abuse', reconnect: true, wait: [10_000, 30_000] },
  /** Not this protocol. */
  4500: { name: 'protocol_violation', reconnect: false },
  /** The credentials were refused. */
  4501: { name: 'unauthorized', reconnect: false },
  /** This user may not connect. */
  4503: { name: 'forbidden', reconnect: false },
  /** No common protocol version. */
  4506: { name: 'version', reconnect: false },
  /** Too many connections of this user. */
  4510: { name: 'too_many_connections', reconnect: false },
  /** Bare frames are not served here. */
  4513: { name: 'legacy_disabled', reconnect: false },
} as const satisfies Record<number, CloseCode>)

export type KnownCloseCode = keyof typeof CLOSE_CODES

/** The entry of a code; for a code that is not in the table, what its range says. */
export function closeCode(code: number): CloseCode {
  if (Object.hasOwn(CLOSE_CODES, code)) return CLOSE_CODES[code as KnownCloseCode]
  const reconnect = code < 4500 || code > 4999
  return { name: `code_${code}`, reconnect }
}
