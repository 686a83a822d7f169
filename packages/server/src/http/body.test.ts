import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readBody } from './body.js'

const request = (
  { type = 'application/json', length, body }: { type?: string; length?: number; body?: unknown } = {},
  stream = new PassThrough(),
) =>
  Object.assign(stream, {
    headers: { 'content-type': type, ...(length === undefined ? {} : { 'content-length': String(length) }) },
    body,
  }) as unknown as IncomingMessage & PassThrough

/** What a body parser leaves behind: its result, and a stream that has been read. */
const parsed = async (body: unknown) => {
  const stream = new PassThrough()
  stream.end('x')
  stream.resume()
  await new Promise((resolve) => stream.once('end', resolve))
  return request({ body }, stream)
}

describe('readBody', () => {
  it('reads it in pieces, split within a character', async () => {
    const reading = request()
    const bytes = Buffer.from('{"user":"é"}')
    const done = readBody(reading)
    reading.write(bytes.subarray(0, 10))
    reading.end(bytes.subarray(10))
    expect(await done).toEqual({ user: 'é' })
    expect(['data', 'end', 'close'].map((event) => reading.listenerCount(event) <= 1)).toEqual([true, true, true])
  })

  it.each([
    ['an object', { user: 'a' }],
    ['text', '{"user":"a"}'],
    ['bytes', Buffer.from('{"user":"a"}')],
  ])('takes what a parser made: %s', async (_name, body) => {
    expect(await readBody(await parsed(body))).toEqual({ user: 'a' })
  })

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/merge-patch+json'])(
    'takes %s',
    async (type) => {
      const reading = request({ type })
      reading.end('{}')
      expect(await readBody(reading)).toEqual({})
    },
  )

  it.each(['', 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonx'])('refuses %j', async (type) => {
    await expect(readBody(request({ type, body: {} }))).rejects.toMatchObject({ status: 415 })
  })

  it('refuses by what is declared, and by what comes', async () => {
    await expect(readBody(request({ length: 16_385 }))).rejects.toMatchObject({ status: 413 })
    const reading = request()
    const done = readBody(reading)
    reading.write('x'.repeat(16_384))
    reading.write('x')
    await expect(done).rejects.toMatchObject({ status: 413 })
  })

  it('refuses a part of a body, and none at all', async () => {
    const reading = request({ length: 20 })
    const done = readBody(reading)
    reading.write('{"us')
    reading.destroy()
    await expect(done).rejects.toMatchObject({ code: 'bad_field' })
    await expect(readBody(await parsed(undefined))).rejects.toMatchObject({ code: 'bad_field' })
  })
})
