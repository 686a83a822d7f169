import { type Browser, chromium } from 'playwright-core'
import type { TestContext } from 'vitest'
import { CHROMIUM, findChromium, need } from './need.js'

/** A Chromium that talks to nobody but the test. */
export const FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/** A headless Chromium that talks to nobody but the test. */
export async function launch(context: Pick<TestContext, 'skip'>): Promise<Browser> {
  const executablePath = need(context, findChromium(), CHROMIUM)
  return chromium.launch({
    executablePath,
    args: [...FLAGS],
  })
}
