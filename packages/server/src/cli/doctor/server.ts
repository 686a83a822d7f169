import type { Runtime } from '@kithwire/protocol'
import { clockFinding, type Finding, good, problem, unknown, warning } from './finding.js'
import { type Attempt, get, type Outcome, open } from './socket-probe.js'
import { isOriginRefused, NGINX, upgradeFinding } from './upgrade.js'

export interface ServerQuestion {
  /** May have `:id` in it. */
  url: string
  /** The same app without the proxy in front. */
  direct: string | undefined
  /** Origins that must be let in. */
  origins: readonly string[]
  user: string | undefined
  headers: Readonly<Record<string, string>>
  token: string | undefined
}

/** An origin that nobody has (RFC 2606). */
const FOREIGN = 'https://kithwire-doctor.invalid'
const NOBODY = 'kithwire-doctor'

export const addressOf = (url: string, user: string | undefined): URL =>
  new URL(url.replace(/^ws/, 'http').replace(/:id(?=\/|\?|$)/, encodeURIComponent(user ?? NOBODY)))

/** Looks at a running server from outside. */
export async function serverFindings(question: ServerQuestion, runtime: Runtime): Promise<Finding[]> {
  const url = addressOf(question.url, question.user)
  const before = runtime.now()
  const page = await get(url, question.headers)
  if (page.kind !== 'answer') {
    const why = page.kind === 'unreachable' ? page.why : 'the connection was cut'
    return [problem('server', `nothing answers: ${why}`, 'start the app, or correct --url')]
  }
  const withCredentials = question.token !== undefined || Object.keys(question.headers).length > 0
  const attempt: Attempt = { headers: question.headers, token: question.token }
  const first = await open(url, { ...attempt, origin: url.origin, hello: true }, runtime)
  const findings = [serverFinding(page, first), upgradeFinding(first, withCredentials)]
  const reached = first.kind === 'open' || isOriginRefused(first)
  if (question.direct !== undefined) findings.push(await directFinding(question, first, attempt, runtime))
  if (reached) {
    findings.push(...(await originFindings(url, question, attempt, runtime)))
    if (/:id(\/|\?|$)/.test(question.url)) findings.push(await legacyFinding(question, runtime))
  }
  if (page.time !== undefined)
    findings.push(clockFinding('clock', 'the clock of the server', page.time, (before + runtime.now()) / 2))
  return findings
}

function serverFinding(page: Outcome & { kind: 'answer' }, first: Outcome): Finding {
  const { status, headers } = page
  const proxy =
    headers.via ?? (/nginx|cloudflare|envoy|caddy|haproxy|traefik/i.exec(String(headers.server))?.[0] || undefined)
  const behind = proxy === undefined ? '' : `, through a proxy (${proxy})`
  if (status === 426 || first.kind === 'open' || isOriginRefused(first))
    return good('server', `something for WebSockets answers${behind}`)
  return warning(
    'server',
    `something answers with HTTP ${status}${behind}`,
    'is it the path that was given to `attach`?',
  )
}

/** The app itself beside the way through the proxy. */
async function directFinding(
  question: ServerQuestion,
  first: Outcome,
  attempt: Attempt,
  runtime: Runtime,
): Promise<Finding> {
  const { origin } = addressOf(question.url, question.user)
  const direct = await open(addressOf(question.direct!, question.user), { ...attempt, origin }, runtime)
  const fine = first.kind === 'open'
  if (direct.kind === 'unreachable')
    return problem('proxy', `--direct: ${direct.why}`, 'start the app, or correct --direct')
  // The app has not been told the public host, so it takes a page of it for a foreign one.
  const works = direct.kind === 'open' || isOriginRefused(direct)
  if (works && !fine) return problem('proxy', 'the app itself answers; the way through the proxy does not work', NGINX)
  if (!works)
    return problem('proxy', `the app itself does not answer: ${upgradeFinding(direct, false).found}`, 'begin there')
  return good('proxy', 'the proxy passes upgrades on')
}

async function originFindings(
  url: URL,
  question: ServerQuestion,
  attempt: Attempt,
  runtime: Runtime,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const origin of question.origins) {
    const refused = isOriginRefused(await open(url, { ...attempt, origin }, runtime))
    findings.push(
      refused
        ? problem('origin', `pages of ${origin} are refused`, `list it: new WsRouter({ origins: ['${origin}', …] })`)
        : good('origin', `pages of ${origin} are let in`),
    )
  }
  const foreign = await open(url, { ...attempt, origin: FOREIGN }, runtime)
  if (!isOriginRefused(foreign)) {
    findings.push(
      foreign.kind === 'open'
        ? warning(
            'origin',
            'pages of any site may open a socket',
            "only legacy: 'open' without `authenticate` allows that: give `authenticate`, and `origins` if your pages are on other hosts",
          )
        : unknown('origin', 'could not be told'),
    )
    return findings
  }
  findings.push(good('origin', 'pages of foreign sites are refused'))
  const told = { ...question.headers, 'X-Forwarded-Host': new URL(FOREIGN).host, 'X-Forwarded-Proto': 'https' }
  const spoofed = await open(url, { ...attempt, headers: told, origin: FOREIGN }, runtime)
  findings.push(
    isOriginRefused(spoofed)
      ? good('proxy', 'forwarded headers of a client are not believed')
      : warning(
          'proxy',
          'a client can say by X-Forwarded-Host what host it asked for',
          'unset `trustProxy` where no proxy is in front; otherwise let the proxy overwrite X-Forwarded-For, -Host and -Proto, and set `trustProxy` to the number of proxies',
        ),
  )
  return findings
}

/** Whether somebody without credentials gets a socket of the user in the path. */
async function legacyFinding(question: ServerQuestion, runtime: Runtime): Promise<Finding> {
  const bare = await open(addressOf(question.url, undefined), { v1: false }, runtime)
  if (bare.kind === 'open' && bare.closed === undefined)
    return warning(
      'legacy',
      'whoever writes an id into the path is that user, and reads and writes as them',
      "give `authenticate` and leave out legacy: 'open'; old clients go on working where your session knows them",
    )
  if (bare.kind === 'answer' && bare.status === 426) return good('legacy', 'bare clients are refused')
  if (bare.kind === 'answer' && (bare.status === 401 || bare.status === 403))
    return good('legacy', 'bare clients must be the user in the path')
  return unknown('legacy', 'could not be told')
}
