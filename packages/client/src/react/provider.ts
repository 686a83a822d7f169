import { KithwireError, WsRequest, type WsRequestOptions } from '@kithwire/client'
import { createContext, createElement, type ReactNode, useContext, useEffect, useMemo } from 'react'
import type { FriendsClient } from '../friends.js'
import { type ChatModel, chatModel } from './chat-model.js'

export type ChatProviderProps = {
  /** For `useFriends`. One object for the life of the provider. */
  friends?: FriendsClient
  children?: ReactNode
} & (
  | {
      /** A client that the app makes and closes. */
      client: WsRequest
    }
  | {
      /** Makes a client of the provider's own, which is closed with it. Another url or user makes another client. */
      url: string
      /** Read when the client is made; later changes are not looked at, but for `user`. */
      options?: WsRequestOptions
      client?: undefined
    }
)

const Context = /* @__PURE__ */ createContext<ChatModel | undefined>(undefined)

/** Gives one client to the hooks below. Makes nothing on a server, and exactly one client under StrictMode. */
export function ChatProvider(props: ChatProviderProps) {
  const { client, friends, children } = props
  const { url = '', options } = client ? {} : props
  const user = options?.user
  // biome-ignore lint/correctness/useExhaustiveDependencies: options are read once.
  const model = useMemo(
    () => chatModel(() => client ?? new WsRequest(url, options), !client, friends),
    [client, url, user, friends],
  )
  useEffect(() => model.lifetime.subscribe(() => {}), [model])
  return createElement(Context.Provider, { value: model }, children)
}

/** @throws KithwireError `bad_state` outside of a ChatProvider */
export function useModel(): ChatModel {
  const model = useContext(Context)
  if (!model) throw new KithwireError('bad_state', 'Expected to be rendered in a ChatProvider.')
  return model
}
