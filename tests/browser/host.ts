import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { WsRouterOptions } from '@kithwire/server'
import { build } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import { serveChat } from '../integration/serve.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

let bundle: Promise<string> | undefined

/** The script of the pages: the built client, as an app's bundler finds it. */
async function script(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here('page/tab.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    conditions: ['browser'],
    // The published builds, and not the sources that the project's own configuration names.
    tsconfigRaw: {},
    alias: { 'node:assert/strict': here('page/assert.ts') },
    logLevel: 'warning',
  })
  return outputFiles[0]!.text
}

/** A chat of ann and ben, and a page that is a client of it. */
export async function hostChat(options: Partial<WsRouterOptions> = {}) {
  bundle ??= script()
  const code = await bundle
  const { chat, friendship, server, port } = await serveChat(options, (request, response) => {
    if (request.url === '/tab.js') response.setHeader('content-type', 'text/javascript').end(code)
    else
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><title>tab</title><script src=/tab.js></script>')
  })
  const sockets = new Set<Duplex>()
  let most = 0
  let down = false
  // The chat keeps its upgrades to itself, so that listeners do not hear of them.
  const emit = server.emit.bind(server)
  server.emit = (event: string, ...args: unknown[]) => {
    const [, socket] = args as [unknown, Duplex]
    if (event === 'upgrade') {
      if (down) {
        socket.destroy()
        return true
      }
      sockets.add(socket)
      most = Math.max(most, sockets.size)
      socket.once('close', () => sockets.delete(socket))
    }
    return emit(event, ...args)
  }
  return {
    chat,
    friendship,
    address: `http://127.0.0.1:${port}`,
    get sockets() {
      return sockets.size
    },
    get mostSockets() {
      return most
    },
    /** Cuts every WebSocket and lets no new one in, or does again. */
    offline(on: boolean): void {
      down = on
      if (on) for (const socket of sockets) socket.destroy()
    },
    /** Nothing comes or goes any more on the WebSockets that are open, and nobody is told. */
    silence(): void {
      for (const socket of sockets) {
        socket.removeAllListeners('data')
        socket.write = () => true
      }
    },
    /** The contents of the conversation, in the order of the log. */
    async log(): Promise<string[]> {
      const contents: string[] = []
      for (let before = Number.MAX_SAFE_INTEGER; ; ) {
        const { items } = await chat.history('ann', friendship, { before, limit: 200 })
        if (items.length === 0) return contents
        contents.unshift(...items.map(({ content }) => content))
        before = items[0]!.seq
      }
    },
  }
}

export type ChatHost = Awaited<ReturnType<typeof hostChat>>

/** A page with the script of the tests, and nothing opened yet. */
export async function openPage(context: BrowserContext, host: ChatHost): Promise<Page> {
  const page = await context.newPage()
  await page.goto(host.address)
  return page
}

/** A page on which a user is online, or follows another tab. */
export async function openTab(context: BrowserContext, host: ChatHost, user = 'ann'): Promise<Page> {
  const page = await openPage(context, host)
  await page.evaluate((user) => globalThis.tab.open(user), user)
  return page
}

/** Sends from a page; resolves when all of it is queued. */
export async function sendAll(page: Page, host: ChatHost, contents: readonly string[]): Promise<void> {
  await page.evaluate(
    async ([conversation, contents]) => {
      for (const content of contents) await globalThis.tab.send(conversation, content)
    },
    [host.friendship, contents] as const,
  )
}

/** `name 0`, `name 1`, … */
export const numbered = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name} ${index}`)

/** The tab that connects. */
export async function leaderOf(pages: readonly Page[]): Promise<Page> {
  for (;;) for (const page of pages) if (await page.evaluate(() => globalThis.tab.leads())) return page
}

/** Ends the process of a page, as an out-of-memory killer does. */
export async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const crashed = page.waitForEvent('crash')
  session.send('Page.crash').catch(() => {})
  await crashed
}
