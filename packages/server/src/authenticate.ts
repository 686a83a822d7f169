import type { IncomingMessage } from 'node:http'
import { isUserId, KithwireError, type Runtime } from '@kithwire/protocol'
import { type Middleware, runMiddleware } from './bindings/middleware.js'
import type { Tickets } from './tickets.js'

/** What a client sent beside its cookies. */
export interface Credentials {
  /**
   * The token of the `kithwire.bearer.` subprotocol, of `Authorization: Bearer`, or of an `auth` frame, which asks
   * again on a socket that lives on: then the request is still that of the handshake, and the token decides.
   */
  token?: string
}

/**
 * Who is asking: the user's id as a string or as `{ id, expires }`, or null for nobody. `expires` is in ms since 1970;
 * the socket is told then and closed 4001 unless it sends a new token.
 */
export type Authenticated = string | { id: string; expires?: number } | null | undefined

/**
 * Tells who sent a request, by the app's own session or a token. Null is a no; to throw says that it could not be found
 * out, which is answered 503 and tried again by the client, so an outage of a session store logs nobody out.
 */
export type Authenticate = (
  request: IncomingMessage,
  credentials: Credentials,
) => Authenticated | Promise<Authenticated>

/** A user id, and when it ends. */
export interface KnownUser {
  id: string
  expires?: number
}

/** How long `authenticate` and the session middleware may take together. */
const AUTHENTICATE_MS = 10_000

/** Asks the app who somebody is, and trusts no answer that it does not understand. */
export class Authenticator {
  constructor(
    private readonly authenticate: Authenticate | undefined,
    private readonly sessions: readonly Middleware[],
    private readonly tickets: Tickets,
    private readonly runtime: Pick<Runtime, 'setTimer' | 'clearTimer' | 'now'>,
  ) {}

  /** The user of an upgrade. Rejects if it could not be found out. */
  ofUpgrade(request: IncomingMessage, token: string | undefined): Promise<KnownUser | null> {
    const ticket = ticketOf(request)
    if (ticket !== undefined) return Promise.resolve(this.tickets.redeem(ticket))
    return this.inTime(async () => {
      if (this.sessions.length > 0 && !(await runMiddleware(this.sessions, request))) return null
      return this.ask(request, token)
    })
  }

  /** The user of an HTTP request, whose middleware has run by then. */
  ofRequest(request: IncomingMessage): Promise<KnownUser | null> {
    return this.inTime(() => this.ask(request, undefined))
  }

  /** The user of a token that came on an open socket. */
  ofToken(request: IncomingMessage, token: string): Promise<KnownUser | null> {
    return this.inTime(() => this.ask(request, token))
  }

  private async ask(request: IncomingMessage, token: string | undefined): Promise<KnownUser | null> {
    if (this.authenticate === undefined) return null
    const given = token ?? authorization(request)
    const answer = await this.authenticate(request, given === undefined ? {} : { token: given })
    if (answer === null || answer === undefined) return null
    const user = typeof answer === 'string' ? { id: answer } : answer
    if (!isUserId(user.id))
      throw new KithwireError(
        'bad_option',
        `authenticate: expected null, a user id or { id } with a string of 1 to 256 characters, came ${typeof user.id}. Convert other ids with String().`,
      )
    if (user.expires === undefined) return { id: user.id }
    if (typeof user.expires !== 'number' || Number.isNaN(user.expires))
      throw new KithwireError('bad_option', 'authenticate: expected `expires` in ms since 1970, came something else.')
    return user.expires <= this.runtime.now() ? null : { id: user.id, expires: user.expires }
  }

  private inTime(ask: () => Promise<KnownUser | null>): Promise<KnownUser | null> {
    return new Promise((resolve, reject) => {
      const timer = this.runtime.setTimer(
        () => reject(new KithwireError('busy', `authenticate gave no answer within ${AUTHENTICATE_MS} ms.`)),
        AUTHENTICATE_MS,
      )
      ask()
        .then(resolve, reject)
        .finally(() => this.runtime.clearTimer(timer))
    })
  }
}

function authorization(request: IncomingMessage): string | undefined {
  return /^Bearer +([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1]
}

function ticketOf(request: IncomingMessage): string | undefined {
  const url = request.url ?? ''
  const query = url.indexOf('?')
  return query < 0 ? undefined : (new URLSearchParams(url.slice(query)).get('ticket') ?? undefined)
}
