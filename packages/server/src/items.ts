import type { Send, SendItem, WireErrorCode } from '@kithwire/protocol'

/** The items of a send that may be stored, up to the first that may not; `invalid` is its code. */
export interface ValidPrefix {
  valid: readonly SendItem[]
  invalid?: WireErrorCode
}

/** What the codec left to check: rules that depend on the kind of an entry. */
export function validPrefix(send: Send, isFile: (content: string) => boolean): ValidPrefix {
  const bad = send.items.findIndex(({ type, content }) => type === 'file' && !isFile(content))
  if (bad >= 0) return { valid: send.items.slice(0, bad), invalid: 'bad_field' }
  return { valid: send.items, ...(send.invalid && { invalid: send.invalid.code }) }
}

/**
 * The default rule for the content of a `file`: a path on the app's own host. A whole address could lead anywhere, and
 * `javascript:` is one.
 */
export const isOwnPath = (content: string): boolean => /^\/(?![/\\])[^\s\\]*$/.test(content)
