import { createHmac } from 'node:crypto'
import type { SendItem } from '@kithwire/protocol'

/** What the identity of an entry is made of, beside its cid. */
export type Content = Pick<SendItem, 'type' | 'content' | 'ref' | 'meta'>

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  // Without a prototype, a key named __proto__ is a key like any other.
  const sorted: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(value).sort()) sorted[key] = (value as Record<string, unknown>)[key]
  return sorted
}

/** One text per content: the order of the keys of `meta`, which a proxy or a driver may change, makes no difference. */
export function canonical({ type, content, ref, meta }: Content): string {
  return JSON.stringify([type, content, ref ?? null, meta ?? null], sortKeys)
}

/** Whether a second use of a cid is a retry (true) or a conflict (false). */
export function sameContent(one: Content, other: Content): boolean {
  if (one.type !== other.type || one.content !== other.content) return false
  if (!one.ref && !other.ref && !one.meta && !other.meta) return true
  return canonical(one) === canonical(other)
}

/**
 * What is left of a content that retention has blanked: HMAC-SHA-256 under a secret of the store. A plain hash of a
 * short message could be guessed by trying all likely ones.
 */
export function fingerprint(secret: Uint8Array, content: Content): Buffer {
  return createHmac('sha256', secret).update(canonical(content)).digest()
}
