import { KithwireError } from '@kithwire/protocol'
import type { ArgsDef } from 'citty'
import { ARTICLE, type Field, type Names } from './migrate/rows.js'

/** What a command ends with. */
export const EXIT = Object.freeze({ fine: 0, todo: 1, usage: 2, interrupted: 130 })

/** The command itself was wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function exitCodeOf(error: unknown): number {
  const { name, code } = error as { name?: string; code?: unknown }
  return name === 'UsageError' || name === 'CLIError' || code === 'bad_option' ? EXIT.usage : EXIT.todo
}

/** An error for people: one line, without a stack, and without what may be a password. */
export function explain(error: unknown): string {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) }
  const hint = exitCodeOf(error) === EXIT.usage ? '\nSee `kithwire --help`.' : ''
  const kind = error instanceof KithwireError || hint !== '' || name === 'Error' ? '' : `${name}: `
  return `${kind}${redact(message)}${hint}`
}

/** Takes user and password out of every address in a text. */
export const redact = (text: string): string => text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*(?:@|%40)/gi, '$1…@')

/** What is given and not known is a mistake that would change what the command does. @throws UsageError */
export function refuseUnknown(given: Record<string, unknown>, known: ArgsDef): void {
  const camel = (name: string) => name.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase())
  const names = new Set(Object.keys(known).flatMap((name) => [name, camel(name)]))
  for (const name of Object.keys(given))
    if (name !== '_' && !names.has(name))
      throw new UsageError(`--${name}: there is no such option. Known: --${Object.keys(known).join(', --')}.`)
  const [extra] = given._ as string[]
  if (extra !== undefined) throw new UsageError(`Expected options only, came ${JSON.stringify(extra)}.`)
}

/** The address of a database, from the option or the environment. */
export function mongoUrl(given: string | undefined): string | undefined {
  const url = given || process.env.MONGO_URL || undefined
  if (url !== undefined && !/^mongodb(\+srv)?:\/\/[^/]+/.test(url))
    throw new UsageError('--mongo: expected an address such as mongodb://127.0.0.1:27017/app.')
  return url
}

/** A whole number from an option. @throws UsageError */
export function wholeNumber(name: string, given: string, least: number, most: number): number {
  const value = Number(given)
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new UsageError(`--${name}: expected a whole number from ${least} to ${most}, came ${JSON.stringify(given)}.`)
}

/** The names of the fields of a message, from `conversation=chat,from=sender`. @throws UsageError */
export function namesOf(given: string | undefined): Names {
  const names: Record<Field, string> = { ...ARTICLE }
  for (const pair of given === undefined || given === '' ? [] : given.split(',')) {
    const [, field, name] = /^([A-Za-z]+)=([^=$.\u0000]+)$/.exec(pair.trim()) ?? []
    if (name === undefined || field === undefined || !Object.hasOwn(names, field))
      throw new UsageError(`--fields: expected name=name of ${Object.keys(names).join(', ')}, came ${pair}.`)
    names[field as Field] = name
  }
  if (new Set(Object.values(names)).size < Object.keys(names).length)
    throw new UsageError('--fields: expected different names.')
  return names
}
