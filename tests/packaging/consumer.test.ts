import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { need } from '../support/need.js'
import { emptyFolder, mustRun, PACKAGES, pack, root, runTool, specifiers } from './packages.js'

const folder = emptyFolder()
const project = join(folder.path, 'project')
const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
const paths = PACKAGES.flatMap(specifiers)

beforeAll(() => {
  const tarballs = pack(folder.path)
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true }')
  mustRun('npm', ['install', ...quiet, ...Object.values(tarballs)], project)
}, 300_000)
afterAll(() => folder[Symbol.dispose]())

it('brings no optional library along', () => {
  for (const optional of ['@photostructure', '@types', 'express', 'mongoose', 'react', 'typescript', 'vitest'])
    expect(existsSync(join(project, 'node_modules', optional)), optional).toBe(false)
  expect(readdirSync(join(project, 'node_modules', '@kithwire')).sort()).toEqual(['client', 'protocol', 'server'])
})

/** Programs that print the names which a module exports. */
const LIST = {
  'list.mjs': (path: string) => `console.log(JSON.stringify(Object.keys(await import('${path}')).sort()))`,
  'list.cjs': (path: string) => `console.log(JSON.stringify(Object.keys(require('${path}')).sort()))`,
}

/** The path of a Node of this major version, fetched by npx. */
function fetchNode(major: number): string | undefined {
  const { status, stdout } = runTool('npx', ['-y', '-p', `node@${major}`, 'node', '-p', 'process.execPath'], project)
  return status === 0 ? stdout.trim() : undefined
}

describe.each([
  ['this Node', () => process.execPath],
  ['Node 24', () => fetchNode(24)],
])('on %s', (_, find) => {
  let node: string | undefined
  beforeAll(() => {
    node = find()
    // An optional peer that one entry cannot do without.
    mustRun('npm', ['install', ...quiet, 'react@19'], project)
  }, 300_000)

  it.for(paths)('%s is imported and required, with the same names', (path, context) => {
    const program = need(context, node, 'node@24 through npx, which needs the npm registry')
    const [imported, required] = Object.entries(LIST).map(([file, text]) => {
      writeFileSync(join(project, file), text(path))
      const names = JSON.parse(mustRun(program, [file], project)) as string[]
      return names.filter((name) => name !== '__esModule' && name !== 'module.exports')
    })
    expect(imported).not.toEqual([])
    expect(required).toEqual(imported)
  })
})

describe('types', () => {
  const TSC = join(root, 'node_modules/typescript/bin/tsc')
  const strict = [
    '--noEmit',
    '--strict',
    '--noUncheckedIndexedAccess',
    '--exactOptionalPropertyTypes',
    '--target',
    'es2022',
  ]
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]

  it.each([
    ['nodenext', 'consumer.mts', ['--module', 'nodenext']],
    ['nodenext, CommonJS', 'consumer.cts', ['--module', 'nodenext']],
    ['bundler', 'consumer.ts', ['--module', 'esnext', '--moduleResolution', 'bundler']],
    ['node10', 'consumer.ts', ['--module', 'commonjs', '--moduleResolution', 'node10', '--esModuleInterop']],
  ])('a strict program compiles, libraries checked: %s', (_, file, resolution) => {
    copyFileSync(join(root, 'tests/packaging/consumer.ts'), join(project, file))
    const { status, stdout } = runTool(process.execPath, [TSC, ...strict, ...types, ...resolution, file], project)
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })
})
