import { createServer } from 'node:http'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { cleanup, listen, makeChat } from '../integration/serve.js'
import { controlPair, HANDSHAKE } from '../integration/sockets.js'

/**
 * The http server is the app's, and so is the deadline for headers: `headersTimeout`. What Kithwire owes it is that a
 * socket which has been upgraded is not touched by it, and that one that has not is.
 */
it('H12 a header byte by byte is cut at the deadline of the server, and sockets live beyond it', async () => {
  const deadline = 400
  const server = createServer({ headersTimeout: deadline, requestTimeout: deadline, connectionsCheckingInterval: 50 })
  const { chat, friendship } = await makeChat()
  chat.attach(server, '/chat/ws')
  const port = await listen(server)
  const control = await controlPair(port, friendship)
  const slow = connect(port, '127.0.0.1')
  cleanup(() => slow.destroy())
  slow.on('error', () => {})
  const lines = Object.entries(HANDSHAKE).map(([name, value]) => `${name}: ${value}\r\n`)
  const bytes = `GET /chat/ws HTTP/1.1\r\n${lines.join('')}`
  let at = 0
  const drip = setInterval(() => slow.write(bytes[at++ % bytes.length]!), 20)
  const answer = await new Promise<string>((resolve) => {
    let text = ''
    slow.on('data', (chunk) => {
      text += chunk
    })
    slow.on('close', () => resolve(text))
  })
  clearInterval(drip)
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  // The two have been connected for longer than the deadline by now.
  expect(await control.check()).toEqual(control.expected)
  expect(chat.connections()).toBe(2)
})
