import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, it } from 'vitest'
import { FriendsClient } from '../friends.js'
import {
  ChatProvider,
  useClient,
  useConnection,
  useConversations,
  useFriends,
  useMessages,
  usePresence,
  useSend,
  useTyping,
  useUnread,
} from './index.js'

function Everything() {
  const seen = {
    phase: useConnection().phase,
    conversations: useConversations().length,
    messages: useMessages('c').messages.length,
    loading: useMessages('c').loading,
    typing: useTyping('c')[0].length,
    friends: useFriends().friends.length,
    online: usePresence('ben'),
    unread: useUnread() + useUnread('c'),
    functions: [typeof useSend('c'), typeof useClient()],
  }
  return createElement('p', null, JSON.stringify(seen))
}

it('renders empty on a server, and neither makes a client nor touches a global', () => {
  const globals = ['WebSocket', 'fetch', 'addEventListener', 'document', 'window', 'indexedDB', 'navigator']
  const kept = globals.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  const touched: string[] = []
  for (const name of globals)
    Object.defineProperty(globalThis, name, { configurable: true, get: () => void touched.push(name) })
  try {
    const friends = new FriendsClient('/chat')
    // An address that no client would take: none is made.
    const html = renderToString(createElement(ChatProvider, { url: 'nowhere', friends }, createElement(Everything)))
    expect(JSON.parse(html.replace(/<\/?p>/g, '').replaceAll('&quot;', '"'))).toEqual({
      ...{
        phase: 'idle',
        conversations: 0,
        messages: 0,
        loading: true,
        typing: 0,
        friends: 0,
        online: false,
        unread: 0,
      },
      functions: ['function', 'function'],
    })
  } finally {
    for (const [name, descriptor] of kept) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
      else Reflect.deleteProperty(globalThis, name)
    }
  }
  expect(touched).toEqual([])
})

it('a hook outside of a provider says so', () => {
  expect(() => renderToString(createElement(Everything))).toThrow('Expected to be rendered in a ChatProvider.')
})
