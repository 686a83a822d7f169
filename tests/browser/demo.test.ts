import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { launch } from '../support/browser.js'
import { startExample } from '../support/example.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function folder(): string {
  const data = mkdtempSync(join(tmpdir(), 'kithwire-demo-'))
  cleanups.push(() => rmSync(data, { recursive: true, force: true }))
  return data
}

it('X1, X2, X3 two friends chat in a real browser, and the history is there after a restart', async (context) => {
  const data = folder()
  const browser = await launch(context)
  cleanups.push(() => browser.close())
  let server = await startExample('demo', { DATA: data })
  cleanups.push(() => server.stop())
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(server.address)
  const [ann, ben] = [page.getByLabel("Ann's window"), page.getByLabel("Ben's window")]
  await ann.getByText('Online').waitFor()
  await ben.getByText('Online').waitFor()

  const link = 'javascript:alert(1) data:text/html,<script>alert(1)</script>'
  const hostile = '<img src=x onerror=alert(1)> \u202e <b>bold</b>'
  for (const content of ['hello Ben', hostile, link]) {
    await ann.getByRole('textbox').fill(content)
    await ann.getByRole('button', { name: 'Send' }).click()
    await ben.locator('.log bdi').getByText(content, { exact: true }).waitFor()
  }
  await ben.getByRole('textbox').pressSequentially('hi')
  await ann.getByText('Ben is typing…').waitFor()
  await ben.getByRole('textbox').press('Enter')
  await ann.locator('.log bdi').getByText('hi', { exact: true }).waitFor()
  // Ben's window is visible, so that he has read what Ann wrote.
  await ann.locator('.own small').getByText('read').nth(2).waitFor()
  expect(await page.locator('.log img, .log b, .log a, .log script').count()).toBe(0)
  expect(complaints).toEqual([])

  await server.stop()
  server = await startExample('demo', { DATA: data })
  await page.goto(`${server.address}/?as=ben`)
  await page.locator('.log bdi').getByText('hi', { exact: true }).waitFor()
  expect(await page.locator('.log bdi').allTextContents()).toEqual(['hello Ben', hostile, link, 'hi'])
})

it('any client can drive the demo: sign in, list friends, refuse a stranger', async () => {
  const server = await startExample('demo', { DATA: folder() })
  cleanups.push(() => server.stop())
  const as = async (user: string) => {
    const answer = await fetch(`${server.address}/sign-in?as=${user}`, { method: 'POST' })
    return { status: answer.status, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' }
  }
  const friendsOf = async (cookie: string) =>
    (await fetch(`${server.address}/chat/friendships`, { headers: { cookie } })).json()
  expect(await friendsOf((await as('ann')).cookie)).toMatchObject([{ user: 'ben', state: 'accepted' }])
  expect(await friendsOf((await as('cyd')).cookie)).toEqual([])
  expect((await as('eve')).status).toBe(404)
  expect((await fetch(`${server.address}/chat/friendships`)).status).toBe(401)
  expect((await fetch(server.address)).headers.get('content-security-policy')).toContain("default-src 'self'")
})
