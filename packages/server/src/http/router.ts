import type { IncomingMessage, ServerResponse } from 'node:http'
import { isId, KithwireError } from '@kithwire/protocol'
import type { Authenticator } from '../authenticate.js'
import type { Log } from '../log.js'
import { type AllowedOrigins, isHost, refuseRequestOrigin } from '../origin.js'
import { peerOf } from '../proxy.js'
import type { UserRates } from '../rate-limit.js'
import { HttpError, sendError, sendJson } from './respond.js'

/** What a route gets. `id` is the one in its path, or empty. */
export interface Call {
  user: string
  id: string
  url: string
  request: IncomingMessage
}

export interface Route {
  method: 'GET' | 'POST' | 'DELETE'
  /** Fixed segments, and at most one `:id`. */
  path: string
  /** What it resolves to is answered as JSON with 200. */
  run(call: Call): Promise<unknown>
}

/** A handler for Express, Connect and plain node:http. Without `next`, what it does not know is answered 404. */
export type RequestHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void

export interface RouterParts {
  routes: readonly Route[]
  authenticator: Authenticator
  origins: AllowedOrigins
  trustProxy: number
  /** How many requests a user may make. */
  rates: UserRates
  log: Log
}

/** Makes one handler of the routes, relative to where it is mounted. */
export function makeRouter(parts: RouterParts): RequestHandler {
  const byPath = new Map<string, Map<string, Route>>()
  for (const route of parts.routes) {
    const methods = byPath.get(route.path) ?? new Map<string, Route>()
    byPath.set(route.path, methods.set(route.method, route))
  }
  return (request, response, next) => {
    const url = request.url ?? '/'
    const found = find(byPath, url.split('?', 1)[0]!)
    if (!found && next) {
      next()
      return
    }
    answer(parts, found, url, request, response).catch((cause) => {
      const unexpected = sendError(response, cause)
      if (unexpected) parts.log.failure('http_failed', cause, { method: request.method ?? '' })
    })
  }
}

interface Found {
  methods: ReadonlyMap<string, Route>
  id: string
}

async function answer(
  parts: RouterParts,
  found: Found | undefined,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!found) throw new KithwireError('not_found', 'There is nothing here.')
  const peer = peerOf(request, parts.trustProxy)
  if (!isHost(request.headers.host ?? ''))
    throw new HttpError(400, 'bad_request', 'Expected a Host header with one host.')
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '')
  const route = found.methods.get(method)
  if (!route) {
    const allow = [...found.methods.keys()].flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name])).join(', ')
    throw new HttpError(405, 'method_not_allowed', `Expected one of ${allow}.`, { Allow: allow })
  }
  if (method !== 'GET') {
    const wrong = refuseRequestOrigin(request, peer, parts.origins)
    if (wrong !== undefined) throw new KithwireError('forbidden', wrong)
  }
  const user = await whoAsks(parts, request)
  const { granted, after } = parts.rates.take(user, 1)
  if (granted === 0)
    throw new HttpError(429, 'rate_limited', 'Too many requests.', { 'Retry-After': String(Math.ceil(after / 1_000)) })
  if (found.id !== '' && !isId(found.id)) throw new KithwireError('not_found')
  const result = await route.run({ user, id: found.id, url, request })
  if (!response.destroyed) sendJson(response, 200, JSON.stringify(result))
}

async function whoAsks({ authenticator, log }: RouterParts, request: IncomingMessage): Promise<string> {
  const user = await authenticator.ofRequest(request).catch((cause) => {
    log.failure('authenticate_failed', cause)
    throw new HttpError(503, 'unavailable', 'It could not be found out who you are.', { 'Retry-After': '5' })
  })
  if (user === null) throw new KithwireError('unauthorized')
  return user.id
}

function find(byPath: ReadonlyMap<string, ReadonlyMap<string, Route>>, path: string): Found | undefined {
  const plain = byPath.get(path)
  if (plain) return { methods: plain, id: '' }
  const segments = path.split('/')
  const id = segments[2]
  if (id === undefined || id === '') return undefined
  segments[2] = ':id'
  const methods = byPath.get(segments.join('/'))
  return methods && { methods, id }
}
