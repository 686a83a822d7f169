import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './pnpm.mjs'
import { scenes } from './screenshots/scenes.mjs'

/**
 * Photographs the demo in every scene, to be looked at: `node scripts/screenshots.mjs [name of a scene …]`. Those that
 * the README shows go to docs/images, the others to .cache/screenshots. Needs `npm run build`, and a Chromium.
 */
const { chromium } = createRequire(join(root, 'tests/package.json'))('playwright-core')
const images = join(root, 'docs/images')
const others = join(root, '.cache/screenshots')
for (const folder of [images, others]) mkdirSync(folder, { recursive: true })

const chosen = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
})
try {
  for (const scene of scenes.filter(({ name }) => chosen.length === 0 || chosen.some((part) => name.includes(part)))) {
    await photograph(scene)
  }
} finally {
  await browser.close()
}

/** Each scene has a server, a database and a browser profile of its own. */
async function photograph({ name, run, kept = false, width = 1360, height = 820, dark = false, as, env = {} }) {
  const data = mkdtempSync(join(tmpdir(), 'kithwire-screenshots-'))
  const server = await startDemo({ DATA: data, ...env })
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    locale: 'en-GB',
    deviceScaleFactor: width < 500 ? 2 : 1,
  })
  try {
    const page = await context.newPage()
    page.on('pageerror', (error) => console.error(`${name}: ${error.message}`))
    await page.goto(server.address + (as === undefined ? '' : `/?as=${as}`))
    const [ann, ben] = [page.getByLabel("Ann's window"), page.getByLabel("Ben's window")]
    const pane = { page, ann, ben, address: server.address, context }
    await page.locator('.state[data-phase=online]').first().waitFor({ state: 'attached' })
    await page.locator('.sidebar li').first().waitFor({ state: 'attached' })
    await run(pane)
    await page.waitForTimeout(600)
    await page.screenshot({ path: join(kept ? images : others, `${name}.png`) })
    console.log(`${name}.png`)
  } finally {
    await context.close()
    await server.stop()
    rmSync(data, { recursive: true, force: true })
  }
}

function startDemo(env) {
  const child = spawn(process.execPath, ['server.js'], {
    cwd: join(root, 'examples/demo'),
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const stop = () => {
    child.kill('SIGTERM')
    return ended
  }
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)
      if (found) resolve({ address: found[0], stop })
    })
    void ended.then(() => reject(new Error(`The demo ended before it had an address:\n${output}`)))
  })
}
