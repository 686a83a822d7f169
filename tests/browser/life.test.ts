import { WsRequest } from '@kithwire/client'
import type { Browser, Page } from 'playwright-core'
import { afterAll, expect, it, type TestContext } from 'vitest'
import { launch } from '../support/browser.js'
import { type ChatHost, hostChat, numbered, openPage, sendAll } from './host.js'

let launched: Promise<Browser> | undefined
const browser = (context: TestContext) => {
  launched ??= launch(context)
  return launched
}
afterAll(async () => (await launched)?.close())

/** A tab whose clock moves only when told. */
async function openTabOnFakeTime(context: TestContext, host: ChatHost): Promise<Page> {
  const page = await openPage(await (await browser(context)).newContext(), host)
  await page.clock.install()
  await page.evaluate(() => globalThis.tab.open('ann'))
  await page.evaluate(() => globalThis.tab.chat.connected())
  return page
}

/** Lets seconds pass on the page's clock until a condition holds there. */
async function passUntil(page: Page, done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await page.evaluate(done))) await page.clock.runFor(1_000)
}

it('offline for five minutes, with 50 messages queued meanwhile: all arrive in order', async (context) => {
  const host = await hostChat({ limits: { rate: 1_000, burst: 1_000 } })
  const page = await openTabOnFakeTime(context, host)
  host.offline(true)
  await page.waitForFunction(() => globalThis.tab.chat.state !== 'online')
  const contents = numbered('message', 50)
  await sendAll(page, host, contents.slice(0, 25))
  await page.clock.runFor(300_000)
  await sendAll(page, host, contents.slice(25))
  expect(await host.log()).toEqual([])
  host.offline(false)
  await passUntil(page, async () => (await globalThis.tab.chat.outgoing()).length === 0)
  expect(await host.log()).toEqual(contents)
  await passUntil(page, () => globalThis.tab.seen.length === 50)
  expect(await page.evaluate(() => globalThis.tab.seen)).toEqual(contents)
})

it('hidden for ten minutes with a connection that died unseen: everything is there when it is shown', async (context) => {
  const host = await hostChat({ limits: { rate: 1_000, burst: 1_000 } })
  const page = await openTabOnFakeTime(context, host)
  const show = (state: string) =>
    page.evaluate((state) => {
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    }, state)
  await show('hidden')
  host.silence()
  const contents = numbered('message', 20)
  const ben = new WsRequest(`${host.address}/chat/ws`, { token: 'ben' })
  for (const content of contents) await ben.send({ conversation: host.friendship, content })
  await ben.close()
  // Timers of a page that sleeps do not run: each that fell due runs once, when it wakes up.
  await page.clock.fastForward(600_000)
  expect(await page.evaluate(() => globalThis.tab.seen)).toEqual([])
  await show('visible')
  await passUntil(page, () => globalThis.tab.seen.length === 20)
  expect(await page.evaluate(() => globalThis.tab.seen)).toEqual(contents)
})
