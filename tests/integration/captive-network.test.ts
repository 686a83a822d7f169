import { createServer, STATUS_CODES } from 'node:http'
import WsRequest from '@kithwire/client'
import { expect, it } from 'vitest'
import { cleanup, ended, listen, makeChat } from './serve.js'

/** A network that wants a sign-in and answers in place of the server, until it has done so twice. */
async function portal(status: number): Promise<{ port: number; left: Promise<void> }> {
  const server = createServer()
  const port = await listen(server)
  let answers = 0
  const left = new Promise<void>((resolve) => {
    server.on('upgrade', (_request, socket) => {
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      if (++answers === 2) server.close(() => resolve())
    })
  })
  return { port, left }
}

it.each([302, 400, 401, 403, 511])(
  'a network that answers HTTP %i in place of the server stops no client',
  async (status) => {
    const { chat, friendship: conversation } = await makeChat()
    const { port, left } = await portal(status)
    const client = new WsRequest(`ws://127.0.0.1:${port}/ws`, { token: 'ann' })
    cleanup(() => client.close())
    const errors: unknown[] = []
    client.on('error', (error) => errors.push(error))
    const sent = client.send({ conversation, content: 'from the train' })
    await left
    const server = createServer()
    chat.attach(server, '/ws')
    server.listen(port, '127.0.0.1')
    await ended(server)
    expect(await sent).toMatchObject({ seq: 1 })
    expect(errors).toEqual([])
  },
)
