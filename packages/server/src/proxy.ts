import type { IncomingMessage } from 'node:http'

/** What a request says about the connection it came by, after the proxies that are trusted. */
export interface Peer {
  /** The client's address, IPv4 in dotted form also where it came mapped into IPv6. */
  address: string
  /** What the client asked for as `Host`, with the port if it named one. Empty if there is none. */
  host: string
  /** Whether the client's side of the connection is encrypted. Undefined if it may end at a proxy that is not trusted. */
  secure: boolean | undefined
}

const FORWARDED = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded'] as const

/** Whether a proxy in front has left its mark. Without `trustProxy` such a header is not believed: any client can send it. */
export function isForwarded(request: IncomingMessage): boolean {
  return FORWARDED.some((name) => request.headers[name] !== undefined)
}

/**
 * Reads the peer of a request.
 *
 * @param hops how many proxies in front are trusted. Each appends the address it saw, so the client's is that many
 *   places from the right; what stands further left was written by the client itself.
 */
export function peerOf(request: IncomingMessage, hops: number): Peer {
  const encrypted = (request.socket as { encrypted?: boolean }).encrypted === true
  const direct = plainAddress(request.socket.remoteAddress ?? '')
  const host = request.headers.host ?? ''
  if (hops === 0) return { address: direct, host, secure: encrypted || undefined }
  const proto = forwarded(request, 'x-forwarded-proto', hops)
  return {
    address: plainAddress(forwarded(request, 'x-forwarded-for', hops) ?? direct),
    host: forwarded(request, 'x-forwarded-host', hops) ?? host,
    secure: proto === undefined ? encrypted || undefined : proto === 'https' || proto === 'wss',
  }
}

/** A proxy either appends to such a header or sets it; one that sets it leaves a single value. */
function forwarded(request: IncomingMessage, name: string, hops: number): string | undefined {
  const header = request.headers[name]
  if (header === undefined) return undefined
  const values = String(header)
    .split(',')
    .map((value) => value.trim())
  return values[Math.max(0, values.length - hops)] || undefined
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** The key under which an address is counted. An IPv6 customer gets a /64 at least, so that is one client. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const end = tail === '' ? [] : tail.split(':')
    while (groups.length + end.length < 8) groups.push('0')
    groups.push(...end)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}
