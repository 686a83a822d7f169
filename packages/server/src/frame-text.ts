import { type Ack, encode, type IMessage, type Page, type ServerFrame, utf8Length, VERSION } from '@kithwire/protocol'

/*
 * The frames that every message costs, written field by field: `JSON.stringify` looks at each object anew, which
 * takes several times as long. Equal byte for byte to `encode`, for frames as this server makes them.
 */

/** Printable ASCII but for `"` and `\`: what JSON writes as it is. */
const PLAIN = /^[ !#-[\]-~]*$/

const quote = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text))

/** Bytes of a string as JSON, without its quotes. */
export const jsonLength = (text: string): number =>
  PLAIN.test(text) ? text.length : utf8Length(JSON.stringify(text)) - 2

/** The text of any frame. */
export function frameText(frame: ServerFrame): string {
  if (frame.t === 'ack') return ackText(frame)
  return frame.t === 'page' && frame.items !== undefined ? pageText(frame) : encode(frame)
}

/** The text of an `ack`. */
export function ackText(ack: Ack): string {
  const { re, conversation, items, refused } = ack
  let list = ''
  for (const { cid, seq, id, at, duplicate } of items) {
    if (list !== '') list += ','
    list += `{"cid":${quote(cid)},"seq":${seq},"id":${quote(id)},"at":${at}`
    list += duplicate === undefined ? '}' : `,"duplicate":${duplicate}}`
  }
  const end = refused === undefined ? '}' : `,"refused":${JSON.stringify(refused)}}`
  return `{"v":${VERSION},"t":"ack","re":${re},"conversation":${quote(conversation)},"items":[${list}]${end}`
}

/** The text of a `messages` frame. */
export function messagesText(conversation: string, items: readonly IMessage[]): string {
  return `{"v":${VERSION},"t":"messages","conversation":${quote(conversation)},"items":[${listText(items)}]}`
}

/** The text of a `page` with entries: they first, and then what is the same for all pages. */
function pageText({ t, re, conversation, items, ...rest }: Page): string {
  const start = `{"v":${VERSION},"t":"${t}"${re === undefined ? '' : `,"re":${re}`},"conversation":${quote(conversation)}`
  const end = JSON.stringify(rest)
  return `${start},"items":[${listText(items!)}]${end === '{}' ? '}' : `,${end.slice(1)}`}`
}

function listText(items: readonly IMessage[]): string {
  let list = ''
  for (const item of items) list += list === '' ? messageText(item) : `,${messageText(item)}`
  return list
}

const isPlain = ({ id, conversation, from, cid, type, content }: IMessage): boolean =>
  PLAIN.test(id) &&
  PLAIN.test(conversation) &&
  PLAIN.test(from) &&
  PLAIN.test(cid) &&
  PLAIN.test(type) &&
  PLAIN.test(content)

function messageText(item: IMessage): string {
  const { id, conversation, seq, from, to, createdAt, cid, type, content, ref, meta } = item
  // The most frequent form at once: quotes that are added to each text are two more strings to make.
  if (to !== undefined && ref === undefined && meta === undefined && isPlain(item) && PLAIN.test(to))
    return `{"id":"${id}","conversation":"${conversation}","seq":${seq},"from":"${from}","to":"${to}","createdAt":${createdAt},"cid":"${cid}","type":"${type}","content":"${content}"}`
  let text = `{"id":${quote(id)},"conversation":${quote(conversation)},"seq":${seq},"from":${quote(from)}`
  if (to !== undefined) text += `,"to":${quote(to)}`
  text += `,"createdAt":${createdAt},"cid":${quote(cid)},"type":${quote(type)},"content":${quote(content)}`
  if (ref !== undefined) text += `,"ref":${JSON.stringify(ref)}`
  return meta === undefined ? `${text}}` : `${text},"meta":${JSON.stringify(meta)}}`
}
