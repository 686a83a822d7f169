/** What the app has had for years: who follows whom. */
import mongoose from 'mongoose'

const followSchema = new mongoose.Schema({
  follower: { type: mongoose.Schema.Types.ObjectId, ref: 'User', required: true },
  followee: { type: mongoose.Schema.Types.ObjectId, ref: 'User', required: true },
})
followSchema.index({ follower: 1, followee: 1 }, { unique: true })
followSchema.index({ followee: 1 })

export const Follow = mongoose.model('Follow', followSchema)
