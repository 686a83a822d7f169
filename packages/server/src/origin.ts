import type { IncomingMessage } from 'node:http'
import type { Peer } from './proxy.js'

/** The origins that may use cookies here; undefined means the request's own host and no other. */
export type AllowedOrigins = ReadonlySet<string> | undefined

const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/
const HOST = /^([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/
const DEFAULT_PORTS = new Map([
  ['http', '80'],
  ['https', '443'],
])

/**
 * An origin as `scheme://host` or `scheme://host:port`, lower case, the scheme's own port left out; undefined for
 * anything else, `null` included. Only ASCII is read, as browsers send punycode: a look-alike never equals its model.
 */
export function normalizeOrigin(text: string): string | undefined {
  const [, scheme, host, port] = ORIGIN.exec(text.toLowerCase()) ?? []
  if (scheme === undefined || host === undefined) return undefined
  return port === undefined || port === DEFAULT_PORTS.get(scheme)
    ? `${scheme}://${host}`
    : `${scheme}://${host}:${port}`
}

/** Whether a `Host` header is one host with an optional port. */
export const isHost = (host: string): boolean => HOST.test(host)

/**
 * Whether a page of `origin` is one of ours. Compared whole, never by part (`https://evilgood.com` ends on `good.com`).
 * A connection that is known to be encrypted takes no page that was not; whether a plain one is encrypted in front of
 * a proxy that is not trusted cannot be known, so there both schemes pass.
 */
export function isAllowedOrigin(origin: string, peer: Peer, allowed: AllowedOrigins): boolean {
  const normal = normalizeOrigin(origin)
  if (normal === undefined) return false
  if (allowed !== undefined) return allowed.has(normal)
  if (!isHost(peer.host)) return false
  const schemes = peer.secure === undefined ? ['http', 'https'] : [peer.secure ? 'https' : 'http']
  return schemes.some((scheme) => normalizeOrigin(`${scheme}://${peer.host}`) === normal)
}

/**
 * The check of a WebSocket handshake, which browsers let any page make, with cookies. Answers what was expected
 * instead, or undefined. A browser always sends an origin here; only what has no cookies may leave it out.
 */
export function refuseHandshakeOrigin(
  request: IncomingMessage,
  peer: Peer,
  allowed: AllowedOrigins,
): string | undefined {
  const { origin, cookie } = request.headers
  if (origin === undefined)
    return cookie === undefined ? undefined : 'Expected an Origin header beside the cookie, came none.'
  return isAllowedOrigin(origin, peer, allowed) ? undefined : 'Expected a page of this site, came another Origin.'
}

/**
 * The check of a request that changes something. Browsers send `Sec-Fetch-Site` or `Origin` with all of these; what
 * has neither is not a browser, and nobody can make it use somebody else's cookies.
 */
export function refuseRequestOrigin(request: IncomingMessage, peer: Peer, allowed: AllowedOrigins): string | undefined {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  if (origin !== undefined)
    return isAllowedOrigin(origin, peer, allowed) ? undefined : 'Expected a page of this site, came another Origin.'
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined
  return 'Expected a page of this site, came another one.'
}
