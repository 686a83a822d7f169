import { createServer } from 'node:http'
import { Server } from 'socket.io'
import type { ServerPlan } from '../messages.js'
import { type Journal, openJournal } from './journal.js'
import { listen, type Running, type Start, userOf } from './peer.js'

/** Rows of one answer to a device that was away. */
const PAGE = 200

/**
 * Socket.IO as its documentation shows private messages: a room per user, an event for each message, its
 * acknowledgement by callback. With a journal each message is stored first, in a transaction of its own.
 */
async function serve(plan: ServerPlan, journal?: Journal): Promise<Running> {
  const server = createServer()
  const io = new Server(server, { transports: ['websocket'], serveClient: false })
  io.on('connection', (socket) => {
    const from = userOf(socket.request.url?.split('&t=')[0])
    socket.join(from)
    socket.on('message', ({ to, body }, acknowledge) => {
      const id = journal?.append(from, to, body)
      io.to(to).emit('message', id === undefined ? { from, body } : { id, from, body })
      acknowledge()
    })
    socket.on('since', (id, answer) => {
      const rows = journal!.since(from, id, PAGE)
      answer(rows, rows.length === PAGE)
    })
  })
  await listen(server, plan)
  return {}
}

export const socketIo: Start = (plan) => serve(plan)
export const socketIoFull: Start = async (plan) => serve(plan, await openJournal(plan.data, 'FULL'))
export const socketIoNormal: Start = async (plan) => serve(plan, await openJournal(plan.data, 'NORMAL'))
