import type { Send } from './envelope.js'
import { type Limits, PROTOCOL_LIMITS } from './limits.js'
import type { SendItem } from './message.js'

/*
 * The frame that a server reads most, in the form in which clients write it: one pass over its text instead of a parse
 * and a look at each field. `n` is first or last.
 */

// Literals with the number of VERSION in them, so that a bundle that never reads a client's frame leaves them out.
const HEAD = /\{"v":1,"t":"send",(?:"n":(0|[1-9][0-9]{0,14}),)?"conversation":"([A-Za-z0-9_-]{1,64})","items":\[/y
/** Content in printable ASCII that JSON writes as it is. */
const ITEM = /\{"cid":"([A-Za-z0-9_-]{1,64})","type":"([a-z][a-z0-9_.-]{0,31})","content":"([ !#-[\]-~]+)"\}(,?)/y
const END = /\](?:,"n":(0|[1-9][0-9]{0,14}))?\}$/y

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** Reads a `send` of plain items; undefined for whatever else came, right or wrong, which is read field by field. */
export function readPlainSend(text: string, limits: Pick<Limits, 'content'>): Send | undefined {
  const head = match(HEAD, text, 0)
  if (head === null) return undefined
  const items: SendItem[] = []
  let at = HEAD.lastIndex
  for (let more = ','; more === ','; at = ITEM.lastIndex) {
    const item = match(ITEM, text, at)
    // JSON needs at most six bytes for a character.
    if (item === null || item[3]!.length * 6 > limits.content || items.length === PROTOCOL_LIMITS.items)
      return undefined
    items.push({ cid: item[1]!, type: item[2]!, content: item[3]! })
    more = item[4]!
  }
  const end = match(END, text, at)
  if (end === null || (head[1] === undefined) === (end[1] === undefined)) return undefined
  // What was matched is a view of the whole text, and the name of a conversation is kept for long: so it is copied.
  const conversation: string = JSON.parse(`"${head[2]}"`)
  return { t: 'send', n: Number(head[1] ?? end[1]), conversation, items }
}
