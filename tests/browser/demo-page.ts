import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, expect, type TestContext } from 'vitest'
import { launch } from '../support/browser.js'
import { type Example, startExample } from '../support/example.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  const failures: unknown[] = []
  // All of them, whatever the first one finds: no server stays behind.
  for (const cleanup of cleanups.splice(0).reverse()) {
    try {
      await cleanup()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
})

let launched: Promise<Browser> | undefined
afterAll(async () => (await launched)?.close())

/** A folder for a demo's database, which goes away with the test. */
export function demoFolder(): string {
  const data = mkdtempSync(join(tmpdir(), 'kithwire-demo-'))
  cleanups.push(() => rmSync(data, { recursive: true, force: true }))
  return data
}

export async function startDemo(env: Record<string, string> = { DATA: demoFolder() }): Promise<Example> {
  const server = await startExample('demo', env)
  cleanups.push(() => server.stop())
  return server
}

/** One person's window of the demo. */
export interface Pane {
  root: Locator
  field: Locator
  log: Locator
  say(...contents: string[]): Promise<void>
  /** Waits until it shows this text as a message. */
  sees(content: string): Promise<void>
}

export const paneOf = (page: Page, name: string): Pane => {
  const root = page.getByLabel(`${name}'s window`)
  const field = root.getByRole('textbox')
  const log = root.getByRole('log')
  return {
    root,
    field,
    log,
    async say(...contents) {
      for (const content of contents) {
        await field.fill(content)
        await field.press('Enter')
      }
    },
    sees: (content) => log.locator('.content').getByText(content, { exact: true }).last().waitFor(),
  }
}

/** The demo in a browser profile of its own; fails if the page complains of anything but a lost connection. */
export async function openDemo(
  context: TestContext,
  server: Example,
  { as = '', ...options }: BrowserContextOptions & { as?: string } = {},
) {
  launched ??= launch(context)
  const profile = await (await launched).newContext({ locale: 'en-GB', ...options })
  cleanups.push(() => profile.close())
  const page = await profile.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    const lost = /WebSocket connection|Failed to load resource: net::ERR/.test(message.text())
    if ((message.type() === 'error' || message.type() === 'warning') && !lost) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  cleanups.push(() => expect(complaints).toEqual([]))
  await page.goto(`${server.address}/${as === '' ? '' : `?as=${as}`}`)
  await page.locator('.state[data-phase=online]').first().waitFor({ state: 'attached' })
  return { page, ann: paneOf(page, 'Ann'), ben: paneOf(page, 'Ben') }
}

/** The contents of a log that is short enough to be on the page as a whole. */
export const contentsOf = ({ log }: Pane): Promise<string[]> => log.locator('.content').allTextContents()

/** All that the server has stored between ann and ben. */
export async function storedIn(server: Example): Promise<string[]> {
  const signed = await fetch(`${server.address}/sign-in?as=ann`, { method: 'POST' })
  const headers = { cookie: signed.headers.get('set-cookie')!.split(';')[0]! }
  const get = async (path: string) => (await fetch(`${server.address}/chat${path}`, { headers })).json()
  const [friend] = (await get('/friendships')) as [{ id: string }]
  const contents: string[] = []
  for (let after = 0, more = true; more; ) {
    const page = (await get(`/conversations/${friend.id}/messages?after=${after}&limit=200`)) as {
      items: { seq: number; content: string }[]
      more: boolean
    }
    contents.push(...page.items.map(({ content }) => content))
    after = page.items.at(-1)?.seq ?? 0
    more = page.more
  }
  return contents
}
