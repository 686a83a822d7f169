import type { Browser } from 'playwright-core'
import { afterAll, expect, it, type TestContext } from 'vitest'
import { launch } from '../support/browser.js'
import { hostChat, numbered, openPage, openTab, sendAll } from './host.js'

let launched: Promise<Browser> | undefined
const browser = (context: TestContext) => {
  launched ??= launch(context)
  return launched
}
afterAll(async () => (await launched)?.close())

const BROKEN: [how: string, breakIt: () => void][] = [
  ['is missing', () => void Reflect.deleteProperty(globalThis, 'indexedDB')],
  [
    'throws',
    () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('denied', 'SecurityError')
      }
    },
  ],
  [
    'never answers',
    () => {
      IDBFactory.prototype.open = () => new EventTarget() as IDBOpenDBRequest
      const timeout = setTimeout
      Object.assign(globalThis, { setTimeout: (run: () => void, ms: number) => timeout(run, ms === 10_000 ? 10 : ms) })
    },
  ],
]

for (const [how, breakIt] of BROKEN)
  it(`where IndexedDB ${how}, the client works in memory and says so`, async (context) => {
    const window = await (await browser(context)).newContext()
    await window.addInitScript(breakIt)
    const host = await hostChat()
    const page = await openTab(window, host)
    await sendAll(page, host, numbered('message', 5))
    await page.evaluate(() => globalThis.tab.drained())
    expect(await host.log()).toEqual(numbered('message', 5))
    expect(await page.evaluate(() => globalThis.tab.chat.durable)).toBe(false)
    const errors = await page.evaluate(() => globalThis.tab.errors)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain('not_durable')
  })

it('goes on in memory when the quota is full: nothing that was queued is lost or out of order', async (context) => {
  const host = await hostChat({ limits: { rate: 1_000, burst: 1_000 } })
  const window = await (await browser(context)).newContext()
  const first = await openPage(window, host)
  const session = await window.newCDPSession(first)
  // Before anything is stored: Chromium remembers for a while how much there is left.
  await session.send('Storage.overrideQuotaForOrigin', { origin: host.address, quotaSize: 80_000 })
  const [one, other] = [await openTab(window, host), await openTab(window, host)]
  await one.evaluate(() => globalThis.tab.chat.connected())
  host.offline(true)
  await sendAll(one, host, numbered('small', 10))
  expect(await one.evaluate(() => globalThis.tab.chat.durable)).toBe(true)
  const large = numbered('large', 10).map((content) => content.padEnd(10_000, '.'))
  await sendAll(one, host, large)
  await sendAll(one, host, numbered('last', 10))
  expect(await one.evaluate(() => globalThis.tab.chat.durable)).toBe(false)
  host.offline(false)
  for (const page of [one, other]) await page.evaluate(() => globalThis.dispatchEvent(new Event('online')))
  await one.evaluate(() => globalThis.tab.drained())
  const expected = [...numbered('small', 10), ...large, ...numbered('last', 10)]
  expect(await host.log()).toEqual(expected)
  await session.send('Storage.overrideQuotaForOrigin', { origin: host.address })
  // The other tab still has the database, with the first of them in its outbox; and one more that comes later does.
  const third = await openTab(window, host)
  for (const page of [one, other, third]) {
    await page.waitForFunction((count) => globalThis.tab.seen.length === count, expected.length)
    expect(await page.evaluate(() => globalThis.tab.seen)).toEqual(expected)
  }
  await third.evaluate(() => globalThis.tab.drained())
  expect(await host.log()).toEqual(expected)
})

it('a database that the browser clears under a tab is begun anew, with what that tab has queued', async (context) => {
  const host = await hostChat()
  const window = await (await browser(context)).newContext()
  const page = await openTab(window, host)
  await sendAll(page, host, numbered('before', 3))
  await page.evaluate(() => globalThis.tab.drained())
  host.offline(true)
  await sendAll(page, host, numbered('queued', 3))
  const session = await window.newCDPSession(page)
  await session.send('Storage.clearDataForOrigin', { origin: host.address, storageTypes: 'indexeddb' })
  await sendAll(page, host, numbered('after', 3))
  host.offline(false)
  const expected = [...numbered('before', 3), ...numbered('queued', 3), ...numbered('after', 3)]
  await page.waitForFunction((count) => globalThis.tab.seen.length >= count, expected.length)
  expect(await page.evaluate(() => globalThis.tab.seen)).toEqual(expected)
  expect(await host.log()).toEqual(expected)
  expect(await page.evaluate(() => globalThis.tab.chat.durable)).toBe(true)
})

it('an older version of the app works in memory, and leaves the database of the newer one alone', async (context) => {
  const host = await hostChat()
  const window = await (await browser(context)).newContext()
  const page = await openPage(window, host)
  await page.evaluate(async () => {
    const request = indexedDB.open(`kithwire ${location.host} ann`, 1_000)
    request.onupgradeneeded = () => void request.result.createObjectStore('of the future')
    await new Promise((resolve) => {
      request.onsuccess = resolve
    })
    request.result.close()
  })
  await page.evaluate(() => globalThis.tab.open('ann'))
  await sendAll(page, host, ['hello'])
  await page.evaluate(() => globalThis.tab.drained())
  expect(await host.log()).toEqual(['hello'])
  expect((await page.evaluate(() => globalThis.tab.errors)).join()).toContain('reload the page')
})
