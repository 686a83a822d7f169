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
  let sockets = 0
  let most = 0
  // The chat keeps its upgrades to itself, so that listeners do not hear of them.
  const emit = server.emit.bind(server)
  server.emit = (event: string, ...args: unknown[]) => {
    const [, socket] = args as [unknown, { once(event: 'close', run: () => void): void }]
    if (event === 'upgrade') {
      most = Math.max(most, ++sockets)
      socket.once('close', () => sockets--)
    }
    return emit(event, ...args)
  }
  return {
    chat,
    friendship,
    address: `http://127.0.0.1:${port}`,
    get sockets() {
      return sockets
    },
    get mostSockets() {
      return most
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
