import type { Locator } from 'playwright-core'
import { expect, it } from 'vitest'
import { demoFolder, openDemo, startDemo } from './demo-page.js'

/** Messages in the log, and pages of 50 to scroll up through. More at night. */
const MESSAGES = Number(process.env.SCROLL_MESSAGES ?? 10_000)
const PAGES = Number(process.env.SCROLL_PAGES ?? 12)

/** The first message that is wholly in view, once one has scrolled to a place, and where it stands. */
const anchorOf = (log: Locator, place?: number) =>
  log.evaluate((element, place) => {
    if (place !== undefined) element.scrollTop = place
    const { top } = element.getBoundingClientRect()
    for (const row of element.querySelectorAll<HTMLElement>('.row')) {
      const at = row.getBoundingClientRect().top - top
      if (at >= 0) return { seq: Number(row.dataset.seq), at }
    }
    throw new Error('Nothing is in view.')
  }, place)

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
  const frames = (count: number) =>
    page.evaluate(async (count) => {
      for (let frame = 0; frame < count; frame++) await new Promise((resolve) => requestAnimationFrame(resolve))
    }, count)
  // The list measures its rows as they are drawn, and ends at the end.
  await frames(30)
  expect(await log.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight)).toBeLessThan(4)
  let most = 0
  for (let turn = 0; turn < PAGES; turn++) {
    // Near the top of what is loaded, where it is drawn and nothing is asked for yet.
    const first = await log.evaluate((element) => {
      element.scrollTop = 1_000
      return element.scrollHeight
    })
    await frames(3)
    // A little further: the page before is asked for as soon as this is heard of, so look in the same turn.
    const anchor = await anchorOf(log, 540)
    await page.waitForFunction(
      ([element, before]) => (element as HTMLElement).scrollHeight > (before as number) + 1_000,
      [await log.elementHandle(), first] as const,
    )
    await ann.root.locator('.loader').first().waitFor({ state: 'hidden' })
    await frames(3)
    expect(await movedBy(log, anchor), `page ${turn + 1}, message ${anchor.seq}`).toBeLessThan(4)
    most = Math.max(most, await log.locator('.row').count())
  }
  expect(most).toBeLessThan(80)
  expect((await anchorOf(log)).seq).toBeLessThan(MESSAGES - PAGES * 45)
  // What arrives meanwhile does not move the reader either, and is announced at the end.
  const anchor = await anchorOf(log)
  await page.getByLabel("Ben's window").getByRole('textbox').fill('news')
  await page.getByLabel("Ben's window").getByRole('textbox').press('Enter')
  await ann.root.getByRole('button', { name: '1 new', exact: true }).waitFor()
  expect(await movedBy(log, anchor)).toBeLessThan(4)
  await ann.root.getByRole('button', { name: '1 new', exact: true }).click()
  await ann.sees('news')
  await expect.poll(() => log.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight)).toBeLessThan(4)
}, 120_000)
