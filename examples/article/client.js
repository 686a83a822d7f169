/**
 * The client of the article, on Kithwire, in a terminal: shows what comes, sends what is typed.
 *
 *     node client.js <your id> <friend's id> [<friendship's id>] [ws://localhost:4000/ws]
 */
import { createInterface } from 'node:readline'
import WsRequest from '@kithwire/client'

const [userId, receiverId, friendId = '5d1328295793f14020a979d5', url = 'ws://localhost:4000/ws'] =
  process.argv.slice(2)
if (!userId || !receiverId) {
  console.error('node client.js <your id> <id of your friend> [<id of the friendship>] [<url>]')
  process.exit(1)
}

const ws = new WsRequest(url, userId)
ws.onMessage(({ from, content }) => console.log(`${from}: ${content}`))

const lines = createInterface({ input: process.stdin })
for await (const line of lines) {
  const { seq } = await ws.send(friendId, line, receiverId)
  console.log(`stored as ${seq}`)
}
ws.close()
