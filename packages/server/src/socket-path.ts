import { isUserId, KithwireError } from '@kithwire/protocol'

/** What a path says: nothing of ours, something broken, or ours, with the user's id if the pattern has one. */
export type PathMatch = { kind: 'none' } | { kind: 'bad' } | { kind: 'unknown' } | { kind: 'match'; id?: string }

/**
 * The path of a socket: fixed segments, and at most one `:id`, which is the user's id. Compared as the client wrote it:
 * `..` and `%2e` are not resolved, so no path reaches ours by a detour.
 */
export class SocketPath {
  readonly hasId: boolean
  private readonly segments: readonly string[]

  constructor(readonly pattern: string) {
    this.segments = pattern.split('/')
    const parameters = this.segments.filter((segment) => segment.includes(':') || segment.includes('*'))
    const plain = /^\/[A-Za-z0-9\-._~!$&'()+,;=@/:]*$/.test(pattern)
    if (!plain || parameters.length > 1 || (parameters[0] ?? ':id') !== ':id')
      throw new KithwireError(
        'bad_option',
        `Expected a path such as '/chat/ws' or '/ws/:id', came ${JSON.stringify(pattern)}; the one parameter is ':id'.`,
      )
    this.hasId = parameters.length === 1
  }

  /** Whether a URL is ours to answer, be it by a refusal. */
  claims(url: string | undefined): boolean {
    return url !== undefined && this.match(url).kind !== 'none'
  }

  match(url: string): PathMatch {
    const end = url.indexOf('?')
    const segments = (end < 0 ? url : url.slice(0, end)).split('/')
    if (segments.length !== this.segments.length) return { kind: 'none' }
    let raw: string | undefined
    for (let index = 0; index < segments.length; index++) {
      if (this.segments[index] === ':id') raw = segments[index]!
      else if (segments[index] !== this.segments[index]) return { kind: 'none' }
    }
    if (!this.hasId) return { kind: 'match' }
    if (raw === '') return { kind: 'none' }
    try {
      const id = decodeURIComponent(raw!)
      if (!isUserId(id)) return { kind: 'bad' }
      return id.split('/').some((part) => part === '.' || part === '..') ? { kind: 'unknown' } : { kind: 'match', id }
    } catch {
      return { kind: 'bad' }
    }
  }
}
