import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { launch } from '../support/browser.js'
import { hostChat } from './host.js'

/** The page with React as in development, where StrictMode runs every effect twice. */
async function script(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page/react.tsx', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    jsx: 'automatic',
    conditions: ['browser'],
    define: { 'process.env.NODE_ENV': '"development"' },
    tsconfigRaw: {},
    logLevel: 'warning',
  })
  return outputFiles[0]!.text
}

it('under StrictMode there is one socket, and a change renders those alone who read it', async (context) => {
  const host = await hostChat()
  const { id: other } = await host.chat.friendships.request('ann', 'cyd')
  await host.chat.friendships.accept('cyd', other)
  const browser = await launch(context)
  try {
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.addInitScript(() => {
      const Plain = globalThis.WebSocket
      Object.assign(globalThis, { opened: 0 })
      globalThis.WebSocket = class extends Plain {
        constructor(...values: ConstructorParameters<typeof Plain>) {
          super(...values)
          Object.assign(globalThis, { opened: (globalThis as unknown as { opened: number }).opened + 1 })
        }
      }
    })
    await page.goto(host.address)
    await page.addScriptTag({ content: await script() })
    await page.evaluate(`show(${JSON.stringify(host.friendship)}, ${JSON.stringify(other)})`)
    await page.getByText('online ann 0').waitFor()
    const [first, second] = [page.getByLabel('first'), page.getByLabel('second')]
    for (const each of [first, second]) await each.and(page.locator('[data-loading=false]')).waitFor()
    expect([host.sockets, host.mostSockets, await page.evaluate('opened')]).toEqual([1, 1, 1])

    const renders = () => page.evaluate('({ ...renders })') as Promise<Record<string, number>>
    const before = await renders()
    await first.getByRole('button').click()
    await first.locator('[data-state=stored]', { hasText: 'from first' }).waitFor()
    await host.chat.send({ conversation: host.friendship, from: 'ben', content: 'hi', type: 'text' })
    await first.getByText('hi').waitFor()
    await page.getByText('online ann 1').waitFor()
    const after = await renders()
    expect(after.second).toBe(before.second)
    expect(after.first).toBeGreaterThan(before.first!)
    expect(await first.locator('li').allTextContents()).toEqual(['from first', 'hi'])
    expect(await host.log()).toEqual(['from first', 'hi'])

    // Gone with its provider, and one again with the next.
    const toggle = page.getByRole('button', { name: 'Toggle' })
    await toggle.click()
    await expect.poll(() => host.sockets).toBe(0)
    await toggle.click()
    await first.getByText('hi').waitFor()
    expect([host.sockets, host.mostSockets, await page.evaluate('opened')]).toEqual([1, 1, 2])
    expect(complaints).toEqual([])
  } finally {
    await browser.close()
  }
})
