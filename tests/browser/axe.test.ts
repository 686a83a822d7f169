import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { openDemo, startDemo } from './demo-page.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Found {
  id: string
  impact: string
  nodes: { target: string[]; failureSummary: string }[]
}

/** What axe finds serious or critical on the page as it is now. */
async function problems(page: Page): Promise<string[]> {
  // Evaluated by the debugger, which the page's policy does not hold back.
  await page.evaluate(AXE)
  const violations = (await page.evaluate('axe.run().then(({ violations }) => violations)')) as Found[]
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`))
}

it.each(['light', 'dark'] as const)('axe finds nothing serious, %s', async (colorScheme) => {
  // biome-ignore lint/suspicious/noExplicitAny: the context of a test that is not skipped is not asked for more.
  const context = { skip: () => {} } as any
  const server = await startDemo()
  const { page, ann, ben } = await openDemo(context, server, { colorScheme })
  expect(await problems(page)).toEqual([])
  await ann.say('hello', 'a link: https://example.com')
  await ben.sees('a link: https://example.com')
  await ben.say('hi')
  await ann.log.locator('[data-state=read]').first().waitFor()
  await ann.root.getByRole('button', { name: 'Frames' }).click()
  await ann.root.getByRole('button', { name: 'Add Cyd' }).click()
  await ann.root.getByLabel('Offline').check()
  await ann.say('later')
  await ann.root.getByText('1 in the outbox').waitFor()
  await ben.root.getByLabel('What to do with Ann').click()
  expect(await problems(page)).toEqual([])
  await ben.root.getByRole('button', { name: 'Block Ann' }).click()
  await ben.root.getByText('You have blocked Ann.').waitFor()
  await ann.root.getByLabel('Offline').uncheck()
  await ann.root.getByText('Not sent.').waitFor()
  expect(await problems(page)).toEqual([])
  await page.setViewportSize({ width: 390, height: 844 })
  expect(await problems(page)).toEqual([])
  await ann.root.locator('button.line', { hasText: 'Ben' }).click()
  expect(await problems(page)).toEqual([])
})
