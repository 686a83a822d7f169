import type { ClientFrame, CursorTuple, Hello, Problem } from '@kithwire/protocol'
import { PROTOCOL_LIMITS } from '@kithwire/protocol'

/**
 * The life of a `kithwire.v1` socket. `opening` collects the chunks of a hello, `greeting` answers it, `ready` serves.
 * Pure: `transition` says what is to be done, and `session.ts` does it.
 */
export type SessionState =
  | { readonly name: 'opening'; readonly hello?: Hello }
  | { readonly name: 'greeting' }
  | { readonly name: 'ready' }
  | { readonly name: 'closed'; readonly code: number; readonly reason: string }

export type SessionEvent =
  | { readonly type: 'frame'; readonly frame: ClientFrame }
  /** A frame that could not be read. `limit`: too many of them came within a minute. */
  | { readonly type: 'problem'; readonly problem: Problem; readonly limit: boolean }
  | { readonly type: 'binary' }
  /** The last `welcome` was sent. */
  | { readonly type: 'welcomed' }
  | { readonly type: 'end'; readonly code: number; readonly reason: string }

export type SessionEffect =
  | { readonly do: 'greet'; readonly hello: Hello }
  /** Serve the frame of the event. */
  | { readonly do: 'dispatch' }
  /** Keep the frame of the event until `welcome` has been sent. */
  | { readonly do: 'hold' }
  /** Dispatch what was held. */
  | { readonly do: 'release' }
  | { readonly do: 'report'; readonly problem: Problem; readonly fatal: boolean }
  | { readonly do: 'close'; readonly code: number; readonly reason: string }

export type Transition = readonly [state: SessionState, effects: readonly SessionEffect[]]

// One object for all sockets, of which there are many.
export const OPENING: SessionState = Object.freeze({ name: 'opening' })
const GREETING: SessionState = Object.freeze({ name: 'greeting' })
const READY: SessionState = Object.freeze({ name: 'ready' })
// And one for all frames.
const HOLD: Transition = [GREETING, [{ do: 'hold' }]]
const DISPATCH: Transition = [READY, [{ do: 'dispatch' }]]

/** Types that only a server sends. A client that sends one is not a client. */
const SERVER_TYPES: ReadonlySet<string> = new Set([
  'welcome',
  'ack',
  'messages',
  'page',
  'heartbeat',
  'pong',
  'behind',
  'drain',
  'error',
])

export function transition(state: SessionState, event: SessionEvent): Transition {
  if (state.name === 'closed') return [state, []]
  switch (event.type) {
    case 'end':
      return close(event.code, event.reason)
    case 'binary':
      return close(1003, 'binary frames are not supported')
    case 'welcomed':
      return state.name === 'greeting' ? [READY, [{ do: 'release' }]] : [state, []]
    case 'problem':
      return onProblem(state, event.problem, event.limit)
    case 'frame':
      return onFrame(state, event.frame)
  }
}

function onProblem(state: SessionState, problem: Problem, limit: boolean): Transition {
  if (problem.type !== undefined && SERVER_TYPES.has(problem.type)) return violation('a type that only servers send')
  if (problem.type === 'hello') return violation('a hello that cannot be read', problem)
  if (problem.code === 'bad_frame' && limit) return violation('too many frames that cannot be read', problem)
  return [state, [{ do: 'report', problem, fatal: false }]]
}

function onFrame(state: SessionState, frame: ClientFrame): Transition {
  if (frame.t === 'hello') return state.name === 'opening' ? onHello(state.hello, frame) : violation('a second hello')
  if (state.name === 'opening') return violation('a frame before hello')
  return state.name === 'ready' ? DISPATCH : HOLD
}

function onHello(before: Hello | undefined, chunk: Hello): Transition {
  if (before !== undefined && (before.device !== chunk.device || before.attempt !== chunk.attempt))
    return violation('chunks of two hellos')
  const cursors: CursorTuple[] = [...(before?.cursors ?? []), ...(chunk.cursors ?? [])]
  if (cursors.length > PROTOCOL_LIMITS.cursors) return violation('too many cursors')
  const hello: Hello = { ...before, ...chunk, cursors }
  if (chunk.more === true) return [{ name: 'opening', hello }, []]
  return [GREETING, [{ do: 'greet', hello }]]
}

function close(code: number, reason: string): Transition {
  return [{ name: 'closed', code, reason }, [{ do: 'close', code, reason }]]
}

function violation(reason: string, problem: Problem = { code: 'bad_frame', message: `Not this protocol: ${reason}.` }) {
  const [state, effects] = close(4500, reason)
  return [state, [{ do: 'report', problem, fatal: true }, ...effects]] as const satisfies Transition
}
