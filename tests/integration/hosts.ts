import { createServer, type Server } from 'node:http'
import type { WsRouter } from '@kithwire/server'
import connect from 'connect'
import express from 'express'
import express4 from 'express4'

/** A way in which an app mounts the router at `/chat`, with its own server. */
export interface Host {
  name: string
  serve(chat: WsRouter): Server
}

/** Every host that Kithwire names, with the router before and after its body parser where it has one. */
export const hosts: Host[] = [
  {
    name: 'node:http',
    serve: (chat) =>
      createServer((request, response) => {
        request.url = request.url?.replace(/^\/chat/, '')
        chat.router(request, response)
      }),
  },
  { name: 'Connect', serve: (chat) => createServer(connect().use('/chat', chat.router)) },
  {
    name: 'Express 5, before express.json()',
    serve: (chat) => createServer(express().use('/chat', chat.router).use(express.json())),
  },
  {
    name: 'Express 5, after express.json()',
    serve: (chat) => createServer(express().use(express.json()).use('/chat', chat.router)),
  },
  {
    name: 'Express 4, before express.json()',
    serve: (chat) => createServer(express4().use('/chat', chat.router).use(express4.json())),
  },
  {
    name: 'Express 4, after express.json()',
    serve: (chat) => createServer(express4().use(express4.json()).use('/chat', chat.router)),
  },
  {
    name: 'Express 5, after express.text() of everything',
    serve: (chat) =>
      createServer(
        express()
          .use(express.text({ type: '*/*' }))
          .use('/chat', chat.router),
      ),
  },
  {
    name: 'Express 4, after express.raw() of everything',
    serve: (chat) =>
      createServer(
        express4()
          .use(express4.raw({ type: '*/*' }))
          .use('/chat', chat.router),
      ),
  },
]
