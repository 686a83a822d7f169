import { systemRuntime } from '@kithwire/protocol'
import { defineCommand } from 'citty'
import pc from 'picocolors'
import { normalizeOrigin } from '../../origin.js'
import { EXIT, mongoUrl, namesOf, refuseUnknown, UsageError } from '../command.js'
import { type Finding, show } from './finding.js'
import { mongoFindings } from './mongo.js'
import { addressOf, serverFindings } from './server.js'
import { sqliteFindings } from './sqlite.js'

const args = {
  url: { type: 'string', description: "the socket's address, such as https://example.com/chat/ws; may have :id in it" },
  direct: { type: 'string', description: 'the same app without the proxy in front' },
  origin: { type: 'string', description: 'origins of your pages, separated by commas' },
  user: { type: 'string', description: 'the user for :id' },
  header: { type: 'string', description: "a header with credentials, such as 'Cookie: sid=…'" },
  token: { type: 'string', description: 'a bearer token' },
  mongo: { type: 'string', description: 'address of the database of mongo(); or the variable MONGO_URL' },
  collection: { type: 'string', default: 'messages', description: 'its collection of messages' },
  fields: { type: 'string', description: 'names of fields that differ, such as conversation=chat' },
  sqlite: { type: 'string', description: 'the file of sqlite()' },
  json: { type: 'boolean', description: 'print JSON' },
} as const

/** `kithwire doctor` */
export const doctor = defineCommand({
  meta: { name: 'doctor', description: 'Looks at an app, and says what is wrong and what to do' },
  args,
  async run({ args: given }) {
    refuseUnknown(given, args)
    const mongo = mongoUrl(given.mongo)
    const { url, sqlite, user, token } = given
    if (url === undefined && mongo === undefined && sqlite === undefined)
      throw new UsageError('Expected at least one of --url, --mongo and --sqlite.')
    for (const [name, address] of Object.entries({ url, direct: given.direct })) checkUrl(name, address, user)
    const findings: Finding[] = []
    if (url !== undefined)
      findings.push(
        ...(await serverFindings(
          { url, user, token, direct: given.direct, origins: originsOf(given.origin), headers: headerOf(given.header) },
          systemRuntime,
        )),
      )
    if (mongo !== undefined)
      findings.push(...(await mongoFindings(mongo, namesOf(given.fields), given.collection, systemRuntime)))
    if (sqlite !== undefined) findings.push(...sqliteFindings(sqlite))
    report(findings, given.json === true)
  },
})

function report(findings: readonly Finding[], json: boolean): void {
  const problems = findings.filter(({ state }) => state === 'problem').length
  if (json) console.log(JSON.stringify({ ok: problems === 0, findings }, null, 2))
  else {
    for (const finding of findings) console.log(show(finding))
    const warnings = findings.filter(({ state }) => state === 'warning').length
    const sum = `${problems} problems, ${warnings} warnings`
    console.log(problems > 0 ? pc.red(sum) : sum)
  }
  if (problems > 0) process.exitCode = EXIT.todo
}

function checkUrl(name: string, address: string | undefined, user: string | undefined): void {
  if (address === undefined) return
  const wrong = new UsageError(`--${name}: expected an address such as https://example.com/chat/ws, came ${address}.`)
  if (!/^(https?|wss?):\/\//.test(address)) throw wrong
  try {
    addressOf(address, user)
  } catch {
    throw wrong
  }
}

function originsOf(given: string | undefined): string[] {
  return (given === undefined ? [] : given.split(',')).map((origin) => {
    const normal = normalizeOrigin(origin.trim())
    if (normal === undefined) throw new UsageError(`--origin: expected scheme://host, came ${origin}.`)
    return normal
  })
}

function headerOf(given: string | undefined): Record<string, string> {
  if (given === undefined) return {}
  const [, name, value] = /^([A-Za-z0-9-]+): *([^\r\n]+)$/.exec(given) ?? []
  if (name === undefined || value === undefined) throw new UsageError("--header: expected 'Name: value'.")
  return { [name]: value }
}
