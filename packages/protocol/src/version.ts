/** The subprotocol of this version, as offered and echoed in `Sec-WebSocket-Protocol`. */
export const SUBPROTOCOL = 'kithwire.v1'

/** Prefix of a subprotocol that carries a token as base64url. The server never echoes it. */
export const BEARER_PREFIX = 'kithwire.bearer.'

/** The number in every envelope of this version. */
export const VERSION = 1

/** Which of the two protocols a handshake chose; frames are never sniffed. */
export type Negotiation =
  | { kind: 'v1'; protocol: typeof SUBPROTOCOL; token?: string }
  | { kind: 'legacy' }
  | { kind: 'unsupported'; supported: readonly string[] }
  | { kind: 'malformed'; message: string }

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const MOST_OFFERED = 32

/**
 * Reads a `Sec-WebSocket-Protocol` header (RFC 6455, 11.3.4). No header means legacy; offers without one that we know
 * are unsupported; a broken list is malformed.
 */
export function negotiate(header: string | undefined): Negotiation {
  if (header === undefined) return { kind: 'legacy' }
  const offered = header.split(',', MOST_OFFERED + 1).map((part) => part.trim())
  if (offered.length > MOST_OFFERED)
    return {
      kind: 'malformed',
      message: `Expected at most ${MOST_OFFERED} subprotocols, came more; offer ${SUBPROTOCOL}.`,
    }
  if (!offered.every((name) => TOKEN.test(name)) || new Set(offered).size !== offered.length)
    return { kind: 'malformed', message: `Expected distinct subprotocol tokens; offer ${SUBPROTOCOL}.` }
  if (!offered.includes(SUBPROTOCOL)) return { kind: 'unsupported', supported: [SUBPROTOCOL] }
  const bearer = offered.find((name) => name.startsWith(BEARER_PREFIX))
  if (bearer === undefined) return { kind: 'v1', protocol: SUBPROTOCOL }
  const token = decodeBearer(bearer)
  if (token === undefined)
    return { kind: 'malformed', message: `Expected ${BEARER_PREFIX}<base64url of UTF-8>, came something else.` }
  return { kind: 'v1', protocol: SUBPROTOCOL, token }
}

/** The subprotocols that a client offers: ours, and with a token the bearer form of it. */
export function offer(token?: string): string[] {
  return token === undefined ? [SUBPROTOCOL] : [SUBPROTOCOL, encodeBearer(token)]
}

interface Base64Globals {
  btoa(binary: string): string
  atob(text: string): string
  TextEncoder: new () => { encode(text: string): Uint8Array }
  TextDecoder: new (label: string, options: { fatal: boolean }) => { decode(bytes: Uint8Array): string }
}

// Present in every runtime that we name (browsers, Node, workers, React Native with Hermes), but in no lib we compile against.
const globals = globalThis as unknown as Base64Globals

export function encodeBearer(token: string): string {
  let binary = ''
  for (const byte of new globals.TextEncoder().encode(token)) binary += String.fromCharCode(byte)
  return BEARER_PREFIX + globals.btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

export function decodeBearer(subprotocol: string): string | undefined {
  const encoded = subprotocol.slice(BEARER_PREFIX.length)
  if (!/^[A-Za-z0-9_-]+$/.test(encoded)) return undefined
  try {
    const binary = globals.atob(encoded.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0))
    return new globals.TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
