import { Container } from 'inversify'
import { controller, httpGet } from 'inversify-express-utils'
import mongoose from 'mongoose'
import Friend from './models/friend.js'
import Message from './models/message.js'

/** A controller as the app had it before: it knows nothing of Kithwire and reads the same collections. */
class MessagesController {
  /**
   * `GET /messages/:id?friendId=`: what the two of a friendship have written, oldest first.
   * @param {import('express').Request} request
   * @param {import('express').Response} response
   */
  async list({ params, query }, response) {
    const { friendId } = query
    // A query can also hold arrays and objects, such as ?friendId[$ne]=x.
    if (typeof friendId !== 'string' || ![friendId, params.id].every(mongoose.isObjectIdOrHexString))
      return void response.status(400).json({ error: 'expected one friendId' })
    const known = await Friend.exists({ _id: friendId, $or: [{ user1: params.id }, { user2: params.id }] })
    if (!known) return void response.status(404).json({ error: 'no such friendship' })
    response.json(await Message.find({ friend: friendId }).sort({ _id: 1 }).lean())
  }
}

// In TypeScript these are @controller('/messages') and @httpGet('/:id').
controller('/messages')(MessagesController)
httpGet('/:id')(MessagesController.prototype, 'list', undefined)

export const container = new Container()
