import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { negotiate, SUBPROTOCOL } from '@kithwire/protocol'
import type { Admission, Place } from './admission.js'
import type { Authenticator, KnownUser } from './authenticate.js'
import { refuseUpgrade } from './bindings/node-http.js'
import type { Upgrader } from './bindings/ws-socket.js'
import type { Identity } from './context.js'
import type { Core } from './core.js'
import type { Log, LogThrottle } from './log.js'
import type { ResolvedOptions } from './options.js'
import { isHost, refuseHandshakeOrigin } from './origin.js'
import { isForwarded, type Peer, peerOf } from './proxy.js'
import type { SocketPath } from './socket-path.js'
import type { Stats } from './stats.js'

/** Parts of a server that a handshake needs. */
export interface HandshakeParts {
  options: ResolvedOptions
  core: Core
  admission: Admission
  authenticator: Authenticator
  upgrader: Upgrader
  log: Log
  stats: Stats
}

/** One upgrade on a path of ours, with what has been found out about it so far. */
interface Upgrade {
  request: IncomingMessage
  socket: Duplex
  head: Buffer
  peer: Peer
  place: Place
  /** The id in the path. */
  id: string | undefined
  protocol: 'v1' | 'legacy'
  token: string | undefined
}

/** Why there is no socket. `code` closes a completed v1 handshake; without it, or with a bare client, it is plain HTTP. */
interface Refusal {
  status: number
  text: string
  /** The name that it is counted and logged under. */
  name: string
  code?: number
  headers?: Record<string, string>
}

/** Not written where it is used: as long as the socket lives it would keep all that is known there, the request first. */
const ignore = (): void => {}

const PLACE = Symbol('place')

/** A connection that holds a place. */
interface Placed extends Duplex {
  [PLACE]?: Place
}

/** Neither a closure nor `once`, which would live as long as each socket. */
function giveBack(this: Placed): void {
  this[PLACE]?.release()
}

const MOST_HEADERS = 256
const MOST_URL = 4_096
const KEY = /^[+/0-9A-Za-z]{22}==$/
/** Headers of which two would let two readers of the request disagree. Node keeps the first and drops the others. */
const SINGLE = ['host', 'origin', 'sec-websocket-key', 'sec-websocket-version', 'upgrade'] as const

/** Decides who gets a socket. From the cheapest question to the dearest: nothing is asked of the app before the rest. */
export class Handshake {
  /** While true, every upgrade is refused 503, so that clients go to another process. */
  draining = false
  private warned = false
  private readonly throttle: LogThrottle = {}

  constructor(private readonly parts: HandshakeParts) {}

  /** Answers one upgrade on `path`. Never throws. */
  handle(path: SocketPath, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Until the WebSocket layer has the socket, a reset would be an error that nobody listens for.
    socket.on('error', ignore)
    const peer = peerOf(request, this.parts.options.trustProxy)
    const upgrade = this.check(path, { request, socket, head, peer })
    if ('status' in upgrade) this.refuse(socket, peer, upgrade)
    else
      this.admit(upgrade).catch((cause) => {
        this.parts.log.failure('handshake_failed', cause, { address: peer.address }, this.throttle)
        this.end(upgrade, unavailable)
      })
  }

  /** What can be decided without asking the app. */
  private check(path: SocketPath, start: Pick<Upgrade, 'request' | 'socket' | 'head' | 'peer'>): Upgrade | Refusal {
    const { request, peer, socket } = start
    if (this.draining) return draining
    const asked = this.read(path, request)
    if ('status' in asked) return asked
    if (asked.protocol === 'v1' && this.parts.core.pendingHellos >= this.parts.options.limits.pendingHellos)
      return silent
    this.warnOfProxy(request)
    const place = this.parts.admission.enter(peer.address)
    if (typeof place === 'string') return admissionRefusals[place]
    ;(socket as Placed)[PLACE] = place
    socket.on('close', giveBack)
    const { origins } = this.parts.options
    // Where the path alone says who it is, no cookie speaks for anybody, and a page of any origin is as good as a script.
    const open = origins === undefined && this.isByPath(asked.protocol)
    const wrong = open ? undefined : refuseHandshakeOrigin(request, peer, origins)
    return wrong === undefined ? { ...start, place, ...asked } : { status: 403, text: wrong, name: 'origin' }
  }

  /** What can be told from the request alone. */
  private read(path: SocketPath, request: IncomingMessage): Pick<Upgrade, 'id' | 'protocol' | 'token'> | Refusal {
    const match = path.match(request.url ?? '')
    if (match.kind === 'bad') return bad('Expected a user id in the path, came something that cannot be one.')
    if (match.kind !== 'match') return { status: 404, text: 'There is nothing here.', name: 'path' }
    const wrong = checkHeaders(request)
    if (wrong) return wrong
    const negotiation = negotiate(request.headers['sec-websocket-protocol'])
    if (negotiation.kind === 'malformed') return bad(negotiation.message)
    if (negotiation.kind === 'unsupported')
      return bad(`Expected one of the subprotocols ${negotiation.supported.join(', ')}.`)
    if (negotiation.kind === 'v1') return { id: match.id, protocol: 'v1', token: negotiation.token }
    if (this.parts.options.legacy !== false && match.id !== undefined)
      return { id: match.id, protocol: 'legacy', token: undefined }
    return { status: 426, text: `Expected the subprotocol ${SUBPROTOCOL}, came none.`, name: 'legacy_disabled' }
  }

  private async admit(upgrade: Upgrade): Promise<void> {
    const user = await this.authenticate(upgrade)
    if (upgrade.socket.destroyed) return
    if (user === null) upgrade.place.failed()
    const refusal = this.judge(upgrade, user)
    if (refusal) this.end(upgrade, refusal)
    else if (user) this.accept(upgrade, user)
  }

  private judge({ id, place }: Upgrade, user: KnownUser | null): Refusal | undefined {
    if (user === null) return unauthorized
    if (id !== undefined && id !== user.id) return forbidden
    if (this.draining) return draining
    return place.claim(user.id) ? undefined : tooMany
  }

  private authenticate({ request, protocol, id, token }: Upgrade): Promise<KnownUser | null> {
    if (this.isByPath(protocol)) return Promise.resolve(id === undefined ? null : { id })
    return this.parts.authenticator.ofUpgrade(request, token)
  }

  /** Whether the id in the path is the identity. */
  private isByPath(protocol: Upgrade['protocol']): boolean {
    const { legacy, authenticate } = this.parts.options
    return legacy === 'open' && (protocol === 'legacy' || authenticate === undefined)
  }

  private accept(upgrade: Upgrade, user: KnownUser): void {
    const { core, upgrader, stats, log } = this.parts
    const identity = this.identity(upgrade, user)
    upgrade.socket.off('error', ignore)
    upgrader.upgrade(upgrade.request, upgrade.socket, upgrade.head, (socket) => {
      stats.add(`handshake.${upgrade.protocol}`)
      try {
        if (upgrade.protocol === 'v1') core.accept(socket, identity)
        else core.acceptLegacy(socket, identity)
      } catch (cause) {
        log.failure('accept_failed', cause, { address: upgrade.peer.address }, this.throttle)
        socket.terminate()
      }
    })
  }

  private identity({ request, peer, token }: Upgrade, { id, expires }: KnownUser): Identity {
    const identity: Identity = { user: id, address: peer.address }
    if (expires !== undefined) identity.expires = expires
    // Holding the request costs some KB for as long as the socket lives, so only where it may be asked again.
    if (this.parts.options.authenticate && (expires !== undefined || token !== undefined))
      identity.reauthenticate = async (fresh) => {
        const user = await this.parts.authenticator.ofToken(request, fresh)
        return user && this.identity({ request, peer, token: fresh } as Upgrade, user)
      }
    return identity
  }

  /** Says no once the origin is known to be good: to a v1 client in a way that a browser can read. */
  private end({ request, socket, head, peer, protocol }: Upgrade, refusal: Refusal): void {
    if (protocol === 'legacy' || refusal.code === undefined) this.refuse(socket, peer, refusal)
    else {
      this.note(peer, refusal)
      this.parts.upgrader.refuse(request, socket, head, refusal.code, refusal.text)
    }
  }

  private refuse(socket: Duplex, peer: Peer, refusal: Refusal): void {
    this.note(peer, refusal)
    refuseUpgrade(socket, refusal.status, refusal.text, refusal.headers)
  }

  private note({ address }: Peer, { name, status }: Refusal): void {
    this.parts.stats.add(`handshake.refused.${name}`)
    this.parts.log.write('info', `handshake_refused_${name}`, { address, status }, this.throttle)
  }

  private warnOfProxy(request: IncomingMessage): void {
    if (this.warned || this.parts.options.trustProxy > 0 || !isForwarded(request)) return
    this.warned = true
    this.parts.log.write('warn', 'proxy_not_trusted', {
      hint: 'A request came through a proxy. Set trustProxy, or all users share the limit of one address and the origin is compared with the wrong host.',
    })
  }
}

function checkHeaders(request: IncomingMessage): Refusal | undefined {
  const { headers, headersDistinct, httpVersion, rawHeaders, method, url = '' } = request
  if (rawHeaders.length > 2 * MOST_HEADERS || url.length > MOST_URL)
    return { status: 431, text: 'Expected a shorter request.', name: 'too_large' }
  if (method !== 'GET') return { status: 405, text: 'Expected GET.', name: 'bad_request', headers: { Allow: 'GET' } }
  // RFC 6455, 4.2.1. Node hands out an upgrade of any version.
  if (httpVersion !== '1.1') return bad('Expected HTTP/1.1.')
  for (const name of SINGLE)
    if ((headersDistinct[name]?.length ?? 0) > 1) return bad(`Expected one ${name} header, came several.`)
  if (!isHost(headers.host ?? '')) return bad('Expected a Host header with one host.')
  if (headers.upgrade?.toLowerCase() !== 'websocket') return bad('Expected `Upgrade: websocket`.')
  const version = headers['sec-websocket-version']
  if (version !== '13' && version !== '8')
    return {
      ...bad('Expected Sec-WebSocket-Version 13 or 8.'),
      headers: { 'Sec-WebSocket-Version': '13, 8' },
    }
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) return bad('Expected a Sec-WebSocket-Key of 16 bytes as base64.')
  return undefined
}

const bad = (text: string): Refusal => ({ status: 400, text, name: 'bad_request' })

const draining: Refusal = {
  status: 503,
  text: 'The server restarts.',
  name: 'draining',
  headers: { 'Retry-After': '5' },
}
const unavailable: Refusal = {
  status: 503,
  text: 'It could not be found out who you are.',
  name: 'unavailable',
  code: 1013,
  headers: { 'Retry-After': '5' },
}
const unauthorized: Refusal = { status: 401, text: 'Expected credentials.', name: 'unauthorized', code: 4501 }
const forbidden: Refusal = { status: 403, text: 'Expected the id of your own.', name: 'forbidden', code: 4503 }
const tooMany: Refusal = { status: 429, text: 'Too many connections.', name: 'user_limit', code: 4510 }
const silent: Refusal = {
  status: 503,
  text: 'Too many sockets have not said hello.',
  name: 'pending_hellos',
  headers: { 'Retry-After': '5' },
}
const admissionRefusals: Record<'address' | 'rate' | 'total', Refusal> = {
  address: { status: 429, text: 'Too many connections.', name: 'address_limit' },
  rate: { status: 429, text: 'Too many handshakes.', name: 'rate', headers: { 'Retry-After': '10' } },
  total: { status: 503, text: 'The server is full.', name: 'full', headers: { 'Retry-After': '30' } },
}
