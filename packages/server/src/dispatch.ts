import type { ClientFrame } from '@kithwire/protocol'
import type { Context } from './context.js'
import { handleAuth } from './handlers/auth.js'
import { handleCursor } from './handlers/cursor.js'
import { handleSend } from './handlers/send.js'
import { handleSignal } from './handlers/signal.js'
import { handleSync } from './handlers/sync.js'
import { refuse } from './refusals.js'
import type { Session } from './session.js'

/** Gives a frame to the handler of its type. A handler that fails costs its own frame and nothing else. */
export function dispatch(context: Context, session: Session, frame: ClientFrame): void {
  try {
    handle(context, session, frame)?.catch((cause) => failed(session, frame, cause))
  } catch (cause) {
    failed(session, frame, cause)
  }
}

function failed(session: Session, frame: ClientFrame, cause: unknown): void {
  session.failure('handler_failed', cause)
  const answer = refuse(frame, 'internal')
  if (answer) session.send(answer)
}

function handle(context: Context, session: Session, frame: ClientFrame): Promise<void> | undefined {
  switch (frame.t) {
    case 'send':
      handleSend(context, session, frame)
      return undefined
    case 'sync':
      return handleSync(context, session, frame)
    case 'cursor':
      return handleCursor(context, session, frame)
    case 'signal':
      return handleSignal(context, session, frame)
    case 'auth':
      return handleAuth(session, frame)
    case 'ping':
      session.send({ t: 'pong', re: frame.n })
      return undefined
    case 'hello':
      // `session-state.ts` lets none through.
      return undefined
  }
}
