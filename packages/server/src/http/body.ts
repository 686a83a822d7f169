import type { IncomingMessage } from 'node:http'
import { isObject } from '@kithwire/protocol'
import { badRequest, HttpError } from './respond.js'

/** No request of ours needs more than an id. */
const MOST_BYTES = 16_384

/** The JSON object of a request, whether or not a body parser of the app has read it before. */
export async function readBody(request: IncomingMessage & { body?: unknown }): Promise<Record<string, unknown>> {
  const parsed = request.body
  const type = request.headers['content-type'] ?? ''
  // Any page can make a browser post a form or plain text with cookies; JSON it cannot without asking first.
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type))
    throw new HttpError(415, 'unsupported_media_type', 'Expected application/json.')
  let value: unknown = parsed
  if (parsed === undefined || (request.readable && !request.readableEnded)) value = parse(await readText(request))
  else if (typeof parsed === 'string' || Buffer.isBuffer(parsed)) value = parse(String(parsed))
  if (!isObject(value)) throw badRequest('Expected a JSON object.')
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('Expected JSON, came something else.')
  }
}

function readText(request: IncomingMessage): Promise<string> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > MOST_BYTES) return Promise.reject(tooLarge())
  if (request.readableEnded || request.destroyed) return Promise.reject(badRequest('Expected a body, came none.'))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const settle = (done: () => void) => {
      request.off('data', onData).off('end', onEnd).off('error', onLost).off('close', onLost)
      done()
    }
    const onData = (chunk: Buffer | string) => {
      const piece = Buffer.from(chunk as string)
      bytes += piece.length
      if (bytes > MOST_BYTES) settle(() => reject(tooLarge()))
      else chunks.push(piece)
    }
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks).toString('utf8')))
    const onLost = () => settle(() => reject(badRequest('Expected a whole body, came a part of it.')))
    request.on('data', onData).on('end', onEnd).on('error', onLost).on('close', onLost)
  })
}

// What is still coming is not read, so the connection cannot be used again.
const tooLarge = () => new HttpError(413, 'too_large', `Expected at most ${MOST_BYTES} bytes.`, { Connection: 'close' })
