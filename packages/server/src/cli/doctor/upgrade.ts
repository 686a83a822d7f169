import { type Finding, good, problem, unknown } from './finding.js'
import type { Outcome } from './socket-probe.js'

/** What a proxy needs to be told. */
export const NGINX =
  'in nginx: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $host;`'

/** Sentences of Kithwire's own refusals, by which its answers are told from those of others. */
const OURS = {
  noUpgrade: /Expected `Upgrade: websocket`/,
  noProtocol: /Expected the subprotocol/,
  notAttached: /Nothing is upgraded here|There is nothing here/,
  origin: /came another Origin|Expected an Origin header/,
}

/** Whether the origin alone was the reason. */
export const isOriginRefused = (outcome: Outcome): boolean =>
  outcome.kind === 'answer' && outcome.status === 403 && OURS.origin.test(outcome.text)

/** What an attempt with `kithwire.v1` says about the way to the app, and about who else listens there. */
export function upgradeFinding(outcome: Outcome, withCredentials: boolean): Finding {
  const check = 'upgrade'
  switch (outcome.kind) {
    case 'unreachable':
      return problem(check, `no socket: ${outcome.why}`, 'start the app, or correct --url')
    case 'cut':
      return problem(
        check,
        'the connection was destroyed without an answer',
        "another 'upgrade' listener of this server destroys what it does not know: attach Kithwire to the very same http server, and wrap or replace no `server.emit` after that; or a proxy in front allows no upgrades",
      )
    case 'broken':
      return problem(
        check,
        `a socket opened and broke: ${outcome.why}`,
        'two listeners answer the same upgrade: let only Kithwire have this path, such as `if (path === …) return` in your own listener, or move one of them',
      )
    case 'no protocol':
      return problem(
        check,
        'a socket opened without kithwire.v1',
        'another WebSocket server answers on this path (express-ws, `new WebSocketServer({ server })`): attach Kithwire to this path and leave it to it; or a proxy removes Sec-WebSocket-Protocol',
      )
    case 'open':
      return openFinding(outcome, withCredentials)
    case 'answer':
      return answerFinding(outcome)
  }
}

function openFinding({ closed, welcome }: Outcome & { kind: 'open' }, withCredentials: boolean): Finding {
  const check = 'upgrade'
  if (welcome) return good(check, 'a socket opens, and the server says welcome: its store answers')
  if (closed === 4501)
    return withCredentials
      ? problem(check, 'a socket opens, and is closed 4501: `authenticate` says no', 'give other credentials')
      : good(check, 'a socket opens; without credentials it is closed 4501')
  if (closed === 1013)
    return problem(
      check,
      'a socket opens, and is closed 1013: `authenticate` threw or took too long',
      "look into the app's log for handshake_failed",
    )
  if (closed !== undefined && closed >= 4500)
    return problem(check, `a socket opens, and is closed ${closed}`, 'see the close codes in PROTOCOL.md')
  return problem(
    check,
    'a socket opens, and nobody answers on it',
    'another WebSocket server takes this path, such as `new WebSocketServer({ server })` or express-ws: attach Kithwire to it; or the store does not answer: look into the log',
  )
}

function answerFinding(answer: Outcome & { kind: 'answer' }): Finding {
  const { status, text, headers } = answer
  const check = 'upgrade'
  if (OURS.noProtocol.test(text))
    return problem(
      check,
      'Kithwire answers, but the subprotocol did not reach it',
      'the proxy in front must pass the header Sec-WebSocket-Protocol on',
    )
  if (status === 426 || OURS.noUpgrade.test(text))
    return problem(
      check,
      'the server answers, but the upgrade did not reach it',
      `the proxy in front must pass it on; ${NGINX}`,
    )
  if (OURS.notAttached.test(text))
    return problem(
      check,
      `Kithwire is on this server, but not on this path (HTTP ${status})`,
      'correct --url, or `chat.attach(server, path)` with this path',
    )
  if (isOriginRefused(answer))
    return problem(
      check,
      'a page of this very host is refused (HTTP 403)',
      'a proxy in front changes the Host header: let it pass the original one, or set `trustProxy` if it sends X-Forwarded-Host; or list the pages in `origins`',
    )
  if (status >= 300 && status < 400)
    return problem(
      check,
      `HTTP ${status} to ${headers.location ?? 'elsewhere'}`,
      'sockets follow no redirects: use that address',
    )
  if (status === 502 || status === 504)
    return problem(check, `HTTP ${status}: the proxy does not reach the app`, 'start the app, or correct the proxy')
  if (status === 503) return problem(check, 'HTTP 503', 'the app is full or is shutting down; try again')
  if (status === 429)
    return problem(
      check,
      'HTTP 429: too many sockets or handshakes of this address',
      'wait; behind a proxy, set `trustProxy`',
    )
  if (status === 401 || status === 403)
    return unknown(check, `HTTP ${status}: refused before it was a socket; give --user or credentials to see more`)
  return problem(
    check,
    `HTTP ${status}, which is not Kithwire's`,
    "another 'upgrade' listener answers every path but its own, such as `new WebSocketServer({ server, path })`; attach Kithwire to this server and this path, which comes before all listeners",
  )
}
