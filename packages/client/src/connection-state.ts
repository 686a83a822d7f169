import { CLOSE_CODES, closeCode, type KithwireErrorCode, SUBPROTOCOL } from '@kithwire/protocol'

/**
 * - `idle`: made, not started.
 * - `following`: another client over the same store has the connection, or may have it first.
 * - `waiting`: for the next try.
 * - `connecting`: getting a token and opening a socket.
 * - `greeting`: the socket is open, `hello` is sent.
 * - `online`: welcomed.
 * - `stopped`: refused; nothing happens until `connect()` or `authenticate()`.
 * - `closed`: by `close()`, for good.
 */
export type ConnectionPhase =
  | 'idle'
  | 'following'
  | 'waiting'
  | 'connecting'
  | 'greeting'
  | 'online'
  | 'stopped'
  | 'closed'

export interface ConnectionState {
  readonly phase: ConnectionPhase
  /** Failed tries since the last connection that held for 10 s. */
  readonly tries: number
  /** Closes 4009 since this client last saw another one of its store connect. */
  readonly replaced: number
  /** After 4010: the next `hello` names no epoch. */
  readonly forget: boolean
  /** The server asked us to go; the timer is set. */
  readonly draining: boolean
  /** Code and reason of the last transition that a close or a failure caused. */
  readonly code: number
  readonly reason: string
}

export type ConnectionEvent =
  | { type: 'start' | 'led' | 'elapsed' | 'welcomed' | 'held' | 'silent' | 'contested' | 'online' | 'moved' | 'stop' }
  | { type: 'opened'; protocol: string }
  | { type: 'closed'; code: number; reason: string }
  | { type: 'failed'; reason: string }
  | { type: 'refused'; code: number; reason: string }
  | { type: 'drain'; spread: number }

/** What to do, as data. `wait` without bounds is the backoff; with `exact` it replaces the backoff. */
export type ConnectionEffect =
  | { do: 'lead' | 'yield' | 'open' | 'hello' | 'steady' }
  | { do: 'wait'; tries?: number; bounds?: readonly [number, number]; exact?: true }
  | { do: 'drop'; code: number; reason: string }
  | { do: 'error'; code: KithwireErrorCode; reason: string }

export const INITIAL: ConnectionState = Object.freeze({
  phase: 'idle',
  tries: 0,
  replaced: 0,
  forget: false,
  draining: false,
  code: 0,
  reason: '',
})

/** What an app is told for a close that is a refusal. */
const REFUSALS = new Map<number, KithwireErrorCode>([
  [4500, 'protocol_violation'],
  [4501, 'unauthorized'],
  [4503, 'forbidden'],
  [4506, 'unsupported_version'],
  [4510, 'too_many_connections'],
  [4513, 'unsupported_version'],
])

/** Pure: the next state, and what to do. An event that means nothing in a state changes nothing. */
export function next(state: ConnectionState, event: ConnectionEvent): [ConnectionState, ConnectionEffect[]] {
  const { phase } = state
  const live = phase === 'connecting' || phase === 'greeting' || phase === 'online'
  if (phase === 'closed') return [state, []]
  switch (event.type) {
    case 'start':
      if (phase !== 'idle' && phase !== 'stopped') break
      return [{ ...state, phase: 'following', tries: 0 }, [{ do: 'lead' }]]
    case 'led':
      if (phase !== 'following') break
      if (state.code !== 4009) return [{ ...state, phase: 'connecting' }, [{ do: 'open' }]]
      return [{ ...state, phase: 'waiting' }, [{ do: 'wait', bounds: CLOSE_CODES[4009].wait, exact: true }]]
    case 'elapsed':
      if (phase === 'waiting') return [{ ...state, phase: 'connecting', draining: false }, [{ do: 'open' }]]
      if (!live || !state.draining) break
      return [
        { ...state, phase: 'connecting', draining: false, code: 1012, reason: 'drain' },
        [{ do: 'drop', code: 1000, reason: 'drain' }, { do: 'open' }],
      ]
    case 'opened':
      if (phase !== 'connecting') break
      if (event.protocol === SUBPROTOCOL) return [{ ...state, phase: 'greeting' }, [{ do: 'hello' }]]
      return refuse(state, 4506, `Expected the subprotocol ${SUBPROTOCOL}, came "${event.protocol}".`)
    case 'welcomed':
      if (phase !== 'greeting') break
      return [{ ...state, phase: 'online', forget: false, code: 0, reason: '' }, [{ do: 'steady' }]]
    case 'held':
      return [{ ...state, tries: 0 }, []]
    case 'contested':
      return [{ ...state, replaced: 0 }, []]
    case 'silent':
      if (!live) break
      return lose(state, 1006, 'silent', [{ do: 'drop', code: 4003, reason: 'silent' }])
    case 'closed':
      return live ? lose(state, event.code, event.reason) : [state, []]
    case 'failed':
      return live ? lose(state, 1006, event.reason, [{ do: 'drop', code: 1000, reason: 'failed' }]) : [state, []]
    case 'refused':
      return refuse(state, event.code, event.reason)
    case 'online':
      return phase === 'waiting' && !CLOSE_CODES_THAT_HOLD.has(state.code)
        ? [state, [{ do: 'wait', bounds: [0, 1_000], exact: true }]]
        : [state, []]
    case 'moved':
      if (!live) break
      return [
        { ...INITIAL, phase: 'following', tries: state.tries },
        [{ do: 'drop', code: 1000, reason: 'another user' }, { do: 'yield' }, { do: 'lead' }],
      ]
    case 'drain':
      if (phase !== 'online') break
      return [{ ...state, draining: true }, [{ do: 'wait', bounds: [0, event.spread], exact: true }]]
    case 'stop':
      return [
        { ...state, phase: 'closed', code: 1000, reason: 'close()' },
        [{ do: 'drop', code: 1000, reason: '' }, { do: 'yield' }],
      ]
  }
  return [state, []]
}

/** Closes by which the server asked for time: `online` does not shorten that. */
const CLOSE_CODES_THAT_HOLD = new Set([1011, 1012, 1013, 4000, 4008, 4009, 4029])

function lose(
  state: ConnectionState,
  code: number,
  reason: string,
  first: ConnectionEffect[] = [],
): [ConnectionState, ConnectionEffect[]] {
  const entry = closeCode(code)
  // 1000 is our own goodbye. From a server it can only be a proxy that tidies up: stopping there would lose the stream.
  if (!entry.reconnect && code !== 1000) return refuse(state, code, reason, first)
  const forget = state.forget || code === 4010
  const then: ConnectionState = { ...state, phase: 'waiting', draining: false, forget, code, reason }
  if (code === 4009)
    return [{ ...then, phase: 'following', replaced: state.replaced + 1 }, [...first, { do: 'yield' }, { do: 'lead' }]]
  if (state.draining) return [then, first] // The timer that `drain` set goes on.
  const wait: ConnectionEffect = { do: 'wait', tries: state.tries, ...(entry.wait && { bounds: entry.wait }) }
  return [{ ...then, tries: state.tries + 1 }, [...first, wait]]
}

function refuse(
  state: ConnectionState,
  code: number,
  reason: string,
  first: ConnectionEffect[] = [],
): [ConnectionState, ConnectionEffect[]] {
  const error = REFUSALS.get(code) ?? 'protocol_violation'
  return [
    { ...state, phase: 'stopped', draining: false, code, reason },
    [...first, { do: 'drop', code: 1000, reason: 'stopped' }, { do: 'yield' }, { do: 'error', code: error, reason }],
  ]
}
