import {
  type Ack,
  type ClientFrame,
  type Decoded,
  type Refusal,
  type Send,
  type ServerFrame,
  WIRE_ERRORS,
  type WireErrorCode,
} from '@kithwire/protocol'

/** A code with what is fixed about it. */
export const refusal = (code: WireErrorCode, after?: number): Omit<Refusal, 'cid'> => ({
  code,
  retry: WIRE_ERRORS[code].retry,
  ...(after !== undefined && { after }),
})

/** The answer to a send of which nothing was tried. */
export const refuseSend = (send: Send, code: WireErrorCode, after?: number): Ack => ({
  t: 'ack',
  re: send.n,
  conversation: send.conversation,
  items: [],
  refused: { cid: send.items[0]?.cid ?? send.invalid?.cid ?? '', ...refusal(code, after) },
})

/** The one answer that a frame gets which cannot be served, in the form that its type asks for; none if it asks for none. */
export function refuse(frame: ClientFrame, code: WireErrorCode, after?: number): ServerFrame | undefined {
  switch (frame.t) {
    case 'send':
      return refuseSend(frame, code, after)
    case 'sync':
      return { t: 'page', re: frame.n, conversation: frame.conversation, refused: refusal(code, after) }
    case 'auth':
    case 'ping':
      return { t: 'error', re: frame.n, code, message: WIRE_ERRORS[code].message, fatal: false }
    default:
      return undefined
  }
}

/** The answer to a frame beyond the rate of its socket. */
export function overRate(decoded: Decoded<ClientFrame>, after: number): ServerFrame | undefined {
  if (decoded.ok) return refuse(decoded.frame, 'rate_limited', after)
  const { re } = decoded.problem
  if (re === undefined) return undefined
  return { t: 'error', re, code: 'rate_limited', message: WIRE_ERRORS.rate_limited.message, fatal: false }
}
