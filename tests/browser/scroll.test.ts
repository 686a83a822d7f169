import type { Locator } from 'playwright-core'
import { expect, it } from 'vitest'
import { demoFolder, openDemo, startDemo } from './demo-page.js'

/** Messages in the log, and pages of 50 to scroll up through. More at night. */
const MESSAGES = Number(process.env.SCROLL_MESSAGES ?? 10_000)
const PAGES = Number(process.env.SCROLL_PAGES ?? 12)

/** The first message that is wholly in view, and where it stands. */
const anchorOf = (log: Locator) =>
  log.evaluate((element) => {
    const { top } = element.getBoundingClientRect()
    for (const row of element.querySelectorAll<HTMLElement>('.row')) {
      const at = row.getBoundingClientRect().top - top
      if (at >= 0) return { seq: Number(row.dataset.seq), at }
    }
    throw new Error('Nothing is in view.')
  })

/** How far a message has moved in the window since it stood at `at`. */
const movedBy = (log: Locator, { seq, at }: { seq: number; at: number }) =>
  log.evaluate(
    (element, { seq, at }) => {
      const row = element.querySelector(`[data-seq="${seq}"]`)
      if (!row) return Number.POSITIVE_INFINITY
      return Math.abs(row.getBoundingClientRect().top - element.getBoundingClientRect().top - at)
    },
    { seq, at },
  )

it('ten thousand messages: a bounded page, and no jump when older ones come in front', async (context) => {
  const server = await startDemo({ DATA: demoFolder(), DEMO_MESSAGES: String(MESSAGES) })
  const { page, ann } = await openDemo(context, server)
  const { log } = ann
  await log.getByText(`Message ${MESSAGES}.`).waitFor()
  let most = 0
  for (let turn = 0; turn < PAGES; turn++) {
    // To the top of what is loaded, which asks for the page before.
    const first = await log.evaluate((element) => {
      element.scrollTop = 150
      return element.scrollHeight
    })
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    const anchor = await anchorOf(log)
    await page.waitForFunction(
      ([element, before]) => (element as HTMLElement).scrollHeight > (before as number) + 1_000,
      [await log.elementHandle(), first] as const,
    )
    await ann.root.locator('.loader').first().waitFor({ state: 'hidden' })
    expect(await movedBy(log, anchor), `page ${turn + 1}, message ${anchor.seq}`).toBeLessThan(4)
    most = Math.max(most, await log.locator('.row').count())
  }
  expect(most).toBeLessThan(80)
  expect((await anchorOf(log)).seq).toBeLessThan(MESSAGES - PAGES * 45)
  // What arrives meanwhile does not move the reader either, and is announced at the end.
  const anchor = await anchorOf(log)
  await page.getByLabel("Ben's window").getByRole('textbox').fill('news')
  await page.getByLabel("Ben's window").getByRole('textbox').press('Enter')
  await ann.root.getByRole('button', { name: '1 new' }).waitFor()
  expect(await movedBy(log, anchor)).toBeLessThan(4)
  await ann.root.getByRole('button', { name: '1 new' }).click()
  await ann.sees('news')
  await expect.poll(() => log.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight)).toBeLessThan(4)
}, 120_000)
