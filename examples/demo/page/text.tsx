import type { ReactNode } from 'react'

/** Addresses of the web alone: `javascript:` and its like never become a link. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"'\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi
/** What ends a sentence rather than an address. */
const TRAILING = /[.,:;!?)\]}»”’]+$/

function hrefOf(text: string): string | undefined {
  try {
    const { protocol, href } = new URL(text)
    return protocol === 'https:' || protocol === 'http:' ? href : undefined
  } catch {
    return undefined
  }
}

/** Text with its web addresses as links. Everything is a text node: markup in a message stays what it is. */
export function linked(content: string): ReactNode[] {
  const parts: ReactNode[] = []
  let end = 0
  for (const match of content.matchAll(ADDRESS)) {
    const address = match[0].replace(TRAILING, '')
    const href = hrefOf(address)
    if (href === undefined) continue
    parts.push(
      content.slice(end, match.index),
      <a key={match.index} href={href} target="_blank" rel="noopener noreferrer nofollow">
        {address}
      </a>,
    )
    end = match.index + address.length
  }
  parts.push(content.slice(end))
  return parts
}

const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\u200d\ufe0f\s]){1,12}$/u

/** Up to a few emoji and nothing else, which are shown large. */
export const isEmoji = (content: string): boolean => ONLY_EMOJI.test(content) && content.trim() !== ''
