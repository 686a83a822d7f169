import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root, runTool } from '../packaging/packages.js'

const programs = [...readFileSync(join(root, 'docs/testing.md'), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)]

it('docs/testing.md has the tests that are looked for here', () => {
  expect(programs).toHaveLength(2)
})

it.each(programs.map(([, code]) => [/^it\('(.*?)'/m.exec(code!)![1]!, code!]))(
  '“%s” compiles and passes',
  (_, program) => {
    // Among the tests, so that the packages are found as an app finds them.
    const folder = mkdtempSync(join(root, 'tests/node_modules/.documented-'))
    try {
      writeFileSync(join(folder, 'chat.test.mts'), program)
      writeFileSync(join(folder, 'vitest.config.mjs'), "export default { test: { include: ['*.test.mts'] } }\n")
      const vitest = join(root, 'node_modules/vitest/vitest.mjs')
      const { stdout, stderr, status } = runTool(process.execPath, [vitest, 'run', '--root', folder], folder)
      expect(`${stdout}${stderr}`).toContain('1 passed')
      expect(status).toBe(0)
      const tsc = join(root, 'node_modules/typescript/bin/tsc')
      const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck']
      const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
      expect(runTool(process.execPath, [tsc, ...options, ...types, 'chat.test.mts'], folder).stdout).toBe('')
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
  120_000,
)
