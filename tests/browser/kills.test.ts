import { expect, it, onTestFinished } from 'vitest'
import { CHROMIUM, findChromium, need } from '../support/need.js'
import { KillableChromium } from './chromium.js'
import { hostChat, numbered, openPage, sendAll } from './host.js'

/** How often the browser is killed. */
const KILLS = Number(process.env.BROWSER_KILLS ?? 10)

it(
  `the browser is killed ${KILLS} times after a message is queued: each arrives exactly once, in order`,
  async (context) => {
    const program = need(context, findChromium(), CHROMIUM)
    const chromium = new KillableChromium(program)
    onTestFinished(() => chromium.end())
    const host = await hostChat({ limits: { rate: 1_000, burst: 1_000 } })
    const queued: string[] = []
    for (let round = 0; round < KILLS; round++) {
      const page = await openPage(await chromium.start(), host)
      // Every other time nothing leaves the page; else the kill meets it wherever it is.
      await page.evaluate((mute) => globalThis.tab.open('ann', mute), round % 2 === 0)
      const contents = numbered(`round ${round}`, 5)
      await sendAll(page, host, contents)
      await chromium.kill()
      queued.push(...contents)
    }
    const page = await openPage(await chromium.start(), host)
    await page.evaluate(() => globalThis.tab.open('ann'))
    await page.evaluate(() => globalThis.tab.drained())
    expect(await host.log()).toEqual(queued)
    await page.waitForFunction((count) => globalThis.tab.seen.length === count, queued.length)
    expect(await page.evaluate(() => globalThis.tab.seen)).toEqual(queued)
  },
  60_000 + KILLS * 10_000,
)
