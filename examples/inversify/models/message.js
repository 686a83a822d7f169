import { model, Schema } from 'mongoose'

export default model(
  'Message',
  new Schema({
    friend: { type: Schema.Types.ObjectId, ref: 'Friend', required: true },
    from: String,
    to: String,
    content: String,
    type: { type: String, default: 'text' },
  }),
)
