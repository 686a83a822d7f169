// chat
import { WsRequest } from '@kithwire/client'
// end of chat
import { notYetFriends, onSubmit, post, show, signedIn } from './ui.js'

const friend = await signedIn()

// chat
const { id: conversation } = await post('/chat/friendships', { user: friend })
const chat = new WsRequest(`ws://${location.host}/chat/ws`)
chat.onMessage((message) => show(message))
chat.history(conversation).then(({ items }) => items.forEach(show), notYetFriends)
// end of chat

onSubmit(async (content) => {
  // chat
  const { seq } = await chat.send({ conversation, content })
  // end of chat
  return seq
})
