/**
 * Friends over HTTP: asks the router that the app has mounted.
 *
 * @packageDocumentation
 */
import { KithwireError, type KithwireErrorCode, LOCAL_ERRORS, WIRE_ERRORS } from '@kithwire/protocol'

/** A friendship as this user sees it. */
export interface Friendship {
  /** Also the id of the conversation of the two. */
  readonly id: string
  /** The other one. */
  readonly user: string
  readonly state: 'pending' | 'accepted' | 'declined' | 'cancelled' | 'removed'
  /** Who asked last. */
  readonly requester: string
  /** Which of the two have blocked the other; nobody can send while it is not empty. */
  readonly blockedBy: readonly string[]
  /** Ms since 1970. */
  readonly createdAt: number
  readonly changedAt: number
}

/** As much of `fetch` as is used. */
export type Fetch = (
  url: string,
  init: {
    method: string
    headers: Record<string, string>
    credentials: 'include' | 'same-origin' | 'omit'
    body?: string
  },
) => Promise<{ ok: boolean; status: number; json(): Promise<unknown> }>

export interface FriendsOptions {
  /** Sent as `Authorization: Bearer …`; a function is asked before each request. Without it, cookies speak. */
  token?: string | (() => string | undefined | Promise<string | undefined>)
  /** @default 'same-origin', with `token` 'omit' */
  credentials?: 'include' | 'same-origin' | 'omit'
  /** @default the global one */
  fetch?: Fetch
}

/**
 * Lists and changes the friendships of the user who is signed in. Every method throws `KithwireError`: the server's
 * refusal by its code (`not_found`, `blocked`, `bad_state`, `rate_limited`, `unauthorized`, …), or `unknown_outcome` if
 * no answer came. Each may simply be repeated.
 */
export class FriendsClient {
  private readonly url: string

  /**
   * @param url where `chat.router` is mounted, such as `/chat`
   * @throws KithwireError `bad_option`
   */
  constructor(
    url: string,
    private readonly options: FriendsOptions = {},
  ) {
    if (typeof url !== 'string' || url === '')
      throw new KithwireError('bad_option', `url: expected where the router is mounted, such as "/chat", came ${url}.`)
    this.url = `${url.replace(/\/+$/, '')}/friendships`
  }

  /** Friends, requests of both directions, and who is blocked by this user; oldest first. */
  list(): Promise<Friendship[]> {
    return this.ask('GET', '')
  }

  /** Asks a user to become a friend; accepts, if they have asked already. */
  request(user: string): Promise<Friendship> {
    return this.ask('POST', '', { user })
  }

  accept(id: string): Promise<Friendship> {
    return this.act(id, 'accept')
  }

  decline(id: string): Promise<Friendship> {
    return this.act(id, 'decline')
  }

  /** Takes an own request back. */
  cancel(id: string): Promise<Friendship> {
    return this.act(id, 'cancel')
  }

  /** Ends a friendship. */
  remove(id: string): Promise<Friendship> {
    return this.ask('DELETE', `/${encodeURIComponent(id)}`)
  }

  /** Closes the conversation for both, until `unblock`. */
  block(id: string): Promise<Friendship> {
    return this.act(id, 'block')
  }

  unblock(id: string): Promise<Friendship> {
    return this.act(id, 'unblock')
  }

  private act(id: string, action: string): Promise<Friendship> {
    return this.ask('POST', `/${encodeURIComponent(id)}/${action}`, {})
  }

  private async ask<Answer = Friendship>(method: string, path: string, body?: object): Promise<Answer> {
    const { token, credentials, fetch = (globalThis as unknown as { fetch: Fetch }).fetch } = this.options
    const headers: Record<string, string> = {}
    if (body) headers['Content-Type'] = 'application/json'
    const bearer = typeof token === 'function' ? await token() : token
    if (bearer !== undefined) headers.Authorization = `Bearer ${bearer}`
    let status = 0
    let answer: unknown
    try {
      const response = await fetch(this.url + path, {
        method,
        headers,
        credentials: credentials ?? (token === undefined ? 'same-origin' : 'omit'),
        ...(body && { body: JSON.stringify(body) }),
      })
      answer = await response.json()
      status = response.status
      if (response.ok) return answer as Answer
    } catch (cause) {
      throw new KithwireError('unknown_outcome', 'No answer came; see `cause`.', { cause })
    }
    const { code, message } = (answer as { error?: { code?: string; message?: string } } | null)?.error ?? {}
    throw new KithwireError(known(code, status), message ?? `The server answered ${status}.`)
  }
}

/** A code of ours; for one of HTTP, or of somebody between, the nearest. */
function known(code: string | undefined, status: number): KithwireErrorCode {
  if (code !== undefined && Object.hasOwn({ ...WIRE_ERRORS, ...LOCAL_ERRORS }, code)) return code as KithwireErrorCode
  if (status === 401) return 'unauthorized'
  if (status === 429) return 'rate_limited'
  return status === 502 || status === 503 || status === 504 ? 'store_unavailable' : 'internal'
}
