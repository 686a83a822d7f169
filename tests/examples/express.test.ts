import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../packaging/packages.js'
import { type Example, startExample } from '../support/example.js'
import { CHROMIUM, findChromium, need } from '../support/need.js'

const read = (path: string) => readFileSync(join(root, 'examples/express', path), 'utf8').split('\n')

/** The lines of a file between `// chat` and `// end of chat`, and those outside. */
function marked(path: string): { chat: string[]; app: string[] } {
  const [chat, app]: string[][] = [[], []]
  let inside = false
  for (const line of read(path).map((text) => text.trim())) {
    if (line === '// chat') inside = true
    else if (line === '// end of chat') inside = false
    else if (line !== '') (inside ? chat : app)!.push(line)
  }
  return { chat: chat!, app: app! }
}

describe('what an app adds', () => {
  it.each(['server.js', 'page/client.js'])('%s: at most six lines', (path) => {
    const { chat, app } = marked(path)
    expect(chat.length).toBeGreaterThan(0)
    expect(chat.length).toBeLessThanOrEqual(6)
    expect(app.filter((line) => /kithwire|\bchat\b/i.test(line))).toEqual([])
  })

  it.each(['app/pages.js', 'app/sessions.js', 'page/ui.js'])('%s knows nothing of it', (path) => {
    expect(read(path).filter((line) => /kithwire|\/chat|@import/.test(line) && !line.trim().startsWith('/**'))).toEqual(
      [],
    )
  })
})

describe('the example', () => {
  const data = mkdtempSync(join(tmpdir(), 'kithwire-express-'))
  let server: Example
  let browser: Browser | undefined

  beforeAll(async () => {
    server = await startExample('express', { DATA: data })
  })
  afterAll(async () => {
    await browser?.close()
    await server.stop('SIGKILL')
    rmSync(data, { recursive: true, force: true })
  })

  it('serves its page, and the chat to those only who are signed in', async () => {
    expect((await fetch(server.address)).headers.get('content-type')).toContain('text/html')
    expect((await fetch(`${server.address}/chat/friendships`)).status).toBe(401)
    const signedIn = await fetch(`${server.address}/sign-in?as=ann`, { method: 'POST' })
    const [cookie] = signedIn.headers.getSetCookie()[0]!.split(';')
    const list = await fetch(`${server.address}/chat/friendships`, { headers: { cookie: cookie! } })
    expect(await list.json()).toEqual([])
  })

  it('two people chat in two windows', async (context) => {
    const executablePath = need(context, findChromium(), CHROMIUM)
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    browser = await chromium.launch({ executablePath, args })
    const [ann, ben] = [await open(browser, 'ann'), await open(browser, 'ben')]
    await say(ann, 'hello <b>Ben</b>')
    await expectLines(ben, ['ann: hello <b>Ben</b>'])
    await say(ben, 'hello 🎉')
    for (const page of [ann, ben]) await expectLines(page, ['ann: hello <b>Ben</b>', 'ben: hello 🎉'])
    const again = await open(browser, 'ann')
    await expectLines(again, ['ann: hello <b>Ben</b>', 'ben: hello 🎉'])
  })

  async function open(window: Browser, user: string): Promise<Page> {
    const page = await (await window.newContext()).newPage()
    await page.goto(server.address)
    await page.click(`button[value=${user}]`)
    await page.waitForSelector('main:not([hidden])')
    return page
  }
})

async function say(page: Page, content: string): Promise<void> {
  await page.fill('input', content)
  await page.press('input', 'Enter')
  await page.waitForFunction(() => /is stored/.test(document.querySelector('output')?.textContent ?? ''))
}

async function expectLines(page: Page, lines: string[]): Promise<void> {
  await page.waitForFunction((count) => document.querySelectorAll('#log li').length >= count, lines.length)
  expect(await page.locator('#log li').allTextContents()).toEqual(lines)
}
