import type { Browser, Page } from 'playwright-core'
import { afterAll, expect, it, type TestContext } from 'vitest'
import { launch } from '../support/browser.js'
import { crash, hostChat, leaderOf, numbered, openPage, openTab, sendAll } from './host.js'

let launched: Promise<Browser> | undefined
const browser = (context: TestContext) => {
  launched ??= launch(context)
  return launched
}
afterAll(async () => (await launched)?.close())

it('ten tabs have one socket, and all show everything once and in order', async (context) => {
  const host = await hostChat()
  const window = await (await browser(context)).newContext()
  const pages: Page[] = []
  for (let index = 0; index < 10; index++) pages.push(await openTab(window, host))
  const contents = pages.map((_, index) => `from tab ${index}`)
  for (const [index, page] of pages.entries()) await sendAll(page, host, [contents[index]!])
  for (const page of pages) await page.waitForFunction(() => globalThis.tab.seen.length === 10)
  const log = await host.log()
  expect([...log].sort()).toEqual(contents)
  for (const page of pages) expect(await page.evaluate(() => globalThis.tab.seen)).toEqual(log)
  expect([host.sockets, host.mostSockets]).toEqual([1, 1])
})

it('the leading tab is killed ten times while tabs send: nothing is lost, doubled or reordered', async (context) => {
  const host = await hostChat({ limits: { rate: 1_000, burst: 1_000 } })
  const window = await (await browser(context)).newContext()
  const pages = [await openTab(window, host), await openTab(window, host), await openTab(window, host)]
  const queued: string[] = []
  for (let round = 0; round < 10; round++) {
    const leader = await leaderOf(pages)
    const sending = pages.map((page, index) => sendAll(page, host, numbered(`${round} ${index}`, 10)).catch(() => {}))
    await leader.waitForFunction(() => globalThis.tab.queued.length > 3)
    queued.push(...(await leader.evaluate(() => globalThis.tab.queued)))
    await crash(leader)
    await Promise.all(sending)
    pages[pages.indexOf(leader)] = await openTab(window, host)
  }
  for (const page of pages) queued.push(...(await page.evaluate(() => globalThis.tab.queued)))
  await pages[0]!.evaluate(() => globalThis.tab.drained())
  const log = await host.log()
  expect(new Set(log).size).toBe(log.length)
  expect(queued.filter((content) => !log.includes(content))).toEqual([])
  for (let round = 0; round < 10; round++)
    for (let tab = 0; tab < 3; tab++) {
      const own = log.filter((content) => content.startsWith(`${round} ${tab} `))
      expect(own).toEqual(own.map((_, index) => `${round} ${tab} ${index}`))
    }
  for (const page of pages) {
    await page.waitForFunction((count) => globalThis.tab.seen.length === count, log.length)
    expect(await page.evaluate(() => globalThis.tab.seen)).toEqual(log)
  }
})

it('a tab that is reloaded while it sends loses and doubles nothing', async (context) => {
  const host = await hostChat({ limits: { rate: 1_000, burst: 1_000 } })
  const page = await openTab(await (await browser(context)).newContext(), host)
  const queued: string[] = []
  for (let round = 0; round < 5; round++) {
    const sending = sendAll(page, host, numbered(`round ${round}`, 20)).catch(() => {})
    await page.waitForFunction(() => globalThis.tab.queued.length > 5)
    queued.push(...(await page.evaluate(() => globalThis.tab.queued)))
    await page.reload()
    await sending
    await page.evaluate(() => globalThis.tab.open('ann'))
  }
  await page.evaluate(() => globalThis.tab.drained())
  const log = await host.log()
  expect(new Set(log).size).toBe(log.length)
  expect(log.filter((content) => queued.includes(content))).toEqual(queued)
  await page.waitForFunction((count) => globalThis.tab.seen.length === count, log.length)
  expect(await page.evaluate(() => globalThis.tab.seen)).toEqual(log)
})

it('without Web Locks each tab connects, and still shows everything once and in order', async (context) => {
  const host = await hostChat()
  const window = await (await browser(context)).newContext()
  await window.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }))
  const pages = [await openTab(window, host), await openTab(window, host)]
  for (const page of pages) await page.evaluate(() => globalThis.tab.chat.connected())
  await Promise.all(pages.map((page, index) => sendAll(page, host, numbered(`tab ${index}`, 10))))
  for (const page of pages) await page.waitForFunction(() => globalThis.tab.seen.length === 20)
  const log = await host.log()
  expect(new Set(log).size).toBe(20)
  for (const page of pages) expect(await page.evaluate(() => globalThis.tab.seen)).toEqual(log)
  expect(host.mostSockets).toBeGreaterThan(1)
})

it('a tab without the connection reads older messages through the one that has it', async (context) => {
  const host = await hostChat()
  const window = await (await browser(context)).newContext()
  const [one, other] = [await openTab(window, host), await openTab(window, host)]
  await sendAll(one, host, numbered('message', 5))
  await one.evaluate(() => globalThis.tab.drained())
  const follower = (await leaderOf([one, other])) === one ? other : one
  const [state, page, ms] = await follower.evaluate(async (conversation) => {
    const { chat } = globalThis.tab
    await chat.connected()
    return [chat.state, await chat.history(conversation, { limit: 3 }), await chat.heartbeat()] as const
  }, host.friendship)
  expect(page.items.map(({ content }) => content)).toEqual(['message 2', 'message 3', 'message 4'])
  expect([state, typeof ms, host.mostSockets]).toEqual(['online', 'number', 1])
})

it('signing out in one tab wipes the store and ends every tab; somebody else can sign in', async (context) => {
  const host = await hostChat()
  const window = await (await browser(context)).newContext()
  const pages = [await openTab(window, host), await openTab(window, host)]
  await sendAll(pages[0]!, host, ['before'])
  await pages[0]!.evaluate(() => globalThis.tab.drained())
  await pages[1]!.evaluate(() => globalThis.tab.chat.signOut())
  for (const page of pages) await page.waitForFunction(() => globalThis.tab.chat.state === 'stopped')
  const other = await openPage(window, host)
  expect(await pages[0]!.evaluate(() => globalThis.tab.chat.conversations())).toEqual([])
  expect((await pages[0]!.evaluate(() => globalThis.tab.errors)).join()).toContain('unauthorized')
  for (const page of pages) await page.close()
  expect(await other.evaluate(() => globalThis.tab.records())).toBe(0)
  await other.evaluate(() => globalThis.tab.open('ben'))
  await sendAll(other, host, ['from ben'])
  await other.evaluate(() => globalThis.tab.drained())
  expect(await host.log()).toEqual(['before', 'from ben'])
})
