import type { Browser } from 'playwright-core'
import { afterAll, expect, it, type TestContext } from 'vitest'
import { launch } from '../support/browser.js'
import { hostChat, openPage } from './host.js'

let launched: Promise<Browser> | undefined
const browser = (context: TestContext) => {
  launched ??= launch(context)
  return launched
}
afterAll(async () => (await launched)?.close())

it('keeps the contract of client stores', async (context) => {
  const host = await hostChat()
  const page = await openPage(await (await browser(context)).newContext(), host)
  const { cases, failures } = await page.evaluate(() => globalThis.tab.conformance())
  expect(failures.join('\n')).toBe('')
  expect(cases.length).toBeGreaterThan(15)
})
