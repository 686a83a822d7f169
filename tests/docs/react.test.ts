import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { listen, makeChat } from '../integration/serve.js'
import { root, runTool } from '../packaging/packages.js'
import { launch } from '../support/browser.js'

const programs = (path: string) =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/^```tsx\n(.*?)^```/gms)].map(([, code]) => code!)

// Among the tests, so that the packages are found as an app finds them.
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(root, 'tests/node_modules/.documented-'))
  writeFileSync(join(folder, 'chat.tsx'), programs('docs/react.md')[0]!)
})
afterAll(() => rmSync(folder, { recursive: true }))

it('the page in docs/react.md compiles as it stands', () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['--noEmit', '--strict', '--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022']
  const types = ['--jsx', 'react-jsx', '--skipLibCheck', '--types', 'react,react-dom']
  expect(runTool(process.execPath, [tsc, ...options, ...types, 'chat.tsx'], folder).stdout).toBe('')
})

it('the lines of the README are those of docs/react.md', () => {
  const [example] = programs('docs/react.md')
  const [excerpt] = programs('README.md')
  for (const line of excerpt!.split('\n').filter((line) => line.trim() !== '…')) expect(example).toContain(line)
})

it('the page in docs/react.md chats', async (context) => {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'chat.tsx')],
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    conditions: ['browser'],
    define: { 'process.env.NODE_ENV': '"production"' },
    tsconfigRaw: {},
  })
  const { chat, friendship } = await makeChat()
  await chat.friendships.request('cyd', 'ann')
  const server = createServer((request, response) => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end('<!doctype html><div id=app></div>')
    else if (request.url?.startsWith('/chat/')) {
      request.url = request.url.slice('/chat'.length)
      chat.router(request, response)
    } else response.writeHead(204).end()
  })
  chat.attach(server, '/chat/ws')
  const port = await listen(server)
  const browser = await launch(context)
  try {
    const profile = await browser.newContext()
    await profile.addCookies([{ name: 'user', value: 'ann', url: `http://127.0.0.1:${port}` }])
    const page = await profile.newPage()
    await page.goto(`http://127.0.0.1:${port}`)
    await page.addScriptTag({ content: outputFiles[0]!.text })
    await page.getByRole('button', { name: 'Accept cyd' }).click()
    await page.getByRole('button', { name: 'cyd', exact: true }).waitFor()
    await chat.send({ conversation: friendship, from: 'ben', content: 'hello', type: 'text' })
    await page.getByRole('button', { name: 'ben (1)' }).click()
    await page.getByRole('listitem').getByText('hello').waitFor()
    await page.getByRole('button', { name: 'ben', exact: true }).waitFor()
    await page.getByLabel('Message').fill('hi')
    await page.getByLabel('Message').press('Enter')
    await page.getByRole('listitem').getByText('stored').waitFor()
    const { items } = await chat.history('ben', friendship, { after: 0, limit: 10 })
    expect(items.map(({ content }) => content)).toEqual(['hello', 'hi'])
  } finally {
    await browser.close()
  }
})
