import type { Browser, Page } from 'playwright-core'
import { afterAll, expect, it, type TestContext } from 'vitest'
import { launch } from '../support/browser.js'
import { crash, hostChat, leaderOf, openTab } from './host.js'

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
  for (const [index, page] of pages.entries())
    await page.evaluate(([id, content]) => globalThis.tab.send(id!, content!), [host.friendship, contents[index]!])
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
    const sending = pages.map((page, index) =>
      page
        .evaluate(
          async ([id, from]) => {
            for (let index = 0; index < 10; index++) await globalThis.tab.send(id!, `${from} ${index}`)
          },
          [host.friendship, `${round} ${index}`] as const,
        )
        .catch(() => {}),
    )
    await host.chat.history('ann', host.friendship, { before: Number.MAX_SAFE_INTEGER, limit: 1 })
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
