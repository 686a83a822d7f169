import { model, Schema } from 'mongoose'

const user = { type: Schema.Types.ObjectId, ref: 'User', required: true }

export default model('Friend', new Schema({ user1: user, user2: user }))
