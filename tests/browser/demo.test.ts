import { expect, it } from 'vitest'
import { contentsOf, demoFolder, openDemo, paneOf, startDemo, storedIn } from './demo-page.js'

it('X1, X2, X3 two friends chat in a real browser, and the history is there after a restart', async (context) => {
  const data = demoFolder()
  let server = await startDemo({ DATA: data })
  const { page, ann, ben } = await openDemo(context, server)
  const link = 'javascript:alert(1) data:text/html,<script>alert(1)</script>'
  const hostile = '<img src=x onerror=alert(1)> \u202e <b>bold</b>'
  for (const content of ['hello Ben', hostile, link]) {
    await ann.say(content)
    await ben.sees(content)
  }
  expect(await page.locator('.log :is(img, b, a, script)').count()).toBe(0)
  await ben.field.pressSequentially('hi, see https://example.com/a?b=1.')
  await ann.root.getByText('Ben is typing…').waitFor()
  await ben.field.press('Enter')
  await ann.sees('hi, see https://example.com/a?b=1.')
  await ann.root.getByText('Ben is typing…').waitFor({ state: 'detached' })
  const address = ann.log.getByRole('link')
  expect(await address.getAttribute('href')).toBe('https://example.com/a?b=1')
  expect(await address.getAttribute('rel')).toBe('noopener noreferrer nofollow')
  // Ben's window is visible, so that he has read what Ann wrote.
  await ann.log.locator('[data-state=read] .ticks').nth(2).waitFor()

  await server.stop()
  server = await startDemo({ DATA: data })
  await page.goto(`${server.address}/?as=ben`)
  await ben.sees('hi, see https://example.com/a?b=1.')
  expect(await contentsOf(ben)).toEqual(['hello Ben', hostile, link, 'hi, see https://example.com/a?b=1.'])
})

it('every control: ask, cancel, accept, block, unblock, remove, people, frames, theme', async (context) => {
  const { page, ann } = await openDemo(context, await startDemo(), { as: 'ann,cyd' })
  const cyd = paneOf(page, 'Cyd')
  const click = (pane: typeof ann, name: string) => pane.root.getByRole('button', { name }).click()
  await cyd.root.getByText('No friends yet.').waitFor()
  await click(cyd, 'Add Ann as a friend')
  await click(cyd, 'Cancel the request to Ann')
  await click(ann, 'Add Cyd as a friend')
  await click(cyd, 'Decline Ann')
  await click(cyd, 'Add Ann as a friend')
  await click(ann, 'Accept Cyd')
  await ann.root.locator('button.line', { hasText: 'Cyd' }).click()
  await ann.say('welcome')
  await cyd.sees('welcome')
  await ann.root.getByText('Online', { exact: true }).nth(1).waitFor()

  await cyd.root.getByLabel('What to do with Ann').click()
  await click(cyd, 'Block Ann')
  await cyd.root.getByText('You have blocked Ann.').waitFor()
  await ann.root.getByText('Cyd does not take messages').waitFor()
  await cyd.root.getByRole('navigation').getByRole('button', { name: 'Unblock Ann' }).click()
  await cyd.say('sorry')
  await ann.sees('sorry')

  const frames = ann.root.getByRole('button', { name: 'Frames' })
  await frames.click()
  await ann.say('seen')
  await ann.root.locator('.frames [data-way=out] summary', { hasText: '"seen"' }).click()
  await ann.root.locator('.frames pre:visible', { hasText: '"content": "seen"' }).waitFor()
  await frames.click()
  expect(await ann.root.locator('.frames').count()).toBe(0)

  const theme = page.getByRole('button', { name: 'Dark mode' })
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)
  expect(await scheme()).toBe('light')
  await theme.click()
  expect(await scheme()).toBe('dark')

  await ann.root.getByLabel('What to do with Cyd').click()
  await page.keyboard.press('Escape')
  expect(await ann.root.locator('.menu[open]').count()).toBe(0)
  await ann.root.getByLabel('What to do with Cyd').click()
  await click(ann, 'Remove Cyd as a friend')
  await cyd.root.getByText('No friends yet.').waitFor()

  await ann.root.getByLabel('Whose window this is').selectOption('Ben')
  await paneOf(page, 'Ben').log.waitFor()
  expect(new URL(page.url()).search).toBe('?as=ben,cyd')
})

it('fifty messages are written offline, and all arrive in order', async (context) => {
  const server = await startDemo()
  const { page, ann, ben } = await openDemo(context, server)
  await ann.root.getByLabel('Offline').check()
  const written = Array.from({ length: 50 }, (_, index) => `from the tunnel ${index + 1}`)
  await ann.say(...written)
  await ann.root.getByText('50 in the outbox').waitFor()
  await ben.say('Where are you?')
  await ben.sees('Where are you?')
  expect(await contentsOf(ben)).toEqual(['Where are you?'])
  // What is queued outlives the page.
  await page.reload()
  await ben.sees(written[49]!)
  await ann.root.locator('.outbox').waitFor({ state: 'detached' })
  expect((await storedIn(server)).filter((content) => written.includes(content))).toEqual(written)
  const unsent = ann.log.locator('[data-state=queued], [data-state=sent], [data-state=failed]')
  expect(await unsent.count()).toBe(0)
})

it('the server is killed while both write: the page heals, and nothing is lost, doubled or reordered', async (context) => {
  const server = await startDemo()
  const { page, ann, ben } = await openDemo(context, server)
  const written = { ann: [] as string[], ben: [] as string[] }
  for (let round = 1; round <= 2; round++) {
    for (let index = 1; index <= 6; index++)
      for (const [name, pane] of [
        ['ann', ann],
        ['ben', ben],
      ] as const) {
        const content = `${name} ${round}.${index}`
        written[name].push(content)
        await pane.say(content)
        if (index === 3 && name === 'ann') await page.getByRole('button', { name: 'Kill the server' }).click()
      }
    for (const { root } of [ann, ben]) await root.locator('.state[data-phase=online]').waitFor()
  }
  await ann.sees('ben 2.6')
  await ben.sees('ann 2.6')
  await page.locator('.log :is([data-state=queued], [data-state=sent])').first().waitFor({ state: 'detached' })
  const log = await storedIn(server)
  expect(log.filter((content) => content.startsWith('ann'))).toEqual(written.ann)
  expect(log.filter((content) => content.startsWith('ben'))).toEqual(written.ben)
  expect(server.output().match(/The server was killed/g)?.length).toBe(2)
})

it('a window behind another counts what is unread, and reads it when it is shown', async (context) => {
  const { page, ann, ben } = await openDemo(context, await startDemo(), { viewport: { width: 390, height: 844 } })
  await ann.root.locator('button.line', { hasText: 'Ben' }).click()
  await ann.say('one', 'two')
  const tab = page.locator('.tabs label', { hasText: 'Ben' })
  await tab.locator('.badge', { hasText: '2' }).waitFor()
  expect(await page.title()).toBe('(2) Kithwire demo')
  expect(await ann.log.locator('[data-state=read]').count()).toBe(0)
  await tab.click()
  await ben.root.locator('button.line .badge', { hasText: '2 unread' }).waitFor()
  await ben.root.locator('button.line', { hasText: 'Ann' }).click()
  await ben.sees('two')
  await expect.poll(() => page.title()).toBe('Kithwire demo')
  await page.locator('.tabs label', { hasText: 'Ann' }).click()
  await ann.log.locator('[data-state=read]').nth(1).waitFor()
})

it('any client can drive the demo: sign in, list friends, refuse a stranger', async () => {
  const server = await startDemo()
  const as = async (user: string) => {
    const answer = await fetch(`${server.address}/sign-in?as=${user}`, { method: 'POST' })
    return { status: answer.status, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' }
  }
  const friendsOf = async (cookie: string) =>
    (await fetch(`${server.address}/chat/friendships`, { headers: { cookie } })).json()
  expect(await friendsOf((await as('ann')).cookie)).toMatchObject([{ user: 'ben', state: 'accepted' }])
  expect(await friendsOf((await as('cyd')).cookie)).toEqual([])
  expect((await as('eve')).status).toBe(404)
  expect((await fetch(`${server.address}/chat/friendships`)).status).toBe(401)
  expect((await fetch(`${server.address}/kill`, { method: 'POST' })).status).toBe(403)
  const policy = (await fetch(server.address)).headers.get('content-security-policy')
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
  expect(policy).not.toContain('unsafe')
})
