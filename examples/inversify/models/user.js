import { model, Schema } from 'mongoose'

export default model('User', new Schema({ name: { type: String, required: true, unique: true } }))
