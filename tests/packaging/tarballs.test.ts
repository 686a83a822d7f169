import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { emptyFolder, manifest, mustRun, PACKAGES, type PackageName, pack, root, runTool } from './packages.js'

const PUBLINT = join(root, 'tests/node_modules/publint/src/cli.js')
const ATTW = join(root, 'tests/node_modules/@arethetypeswrong/cli/dist/index.js')

const folder = emptyFolder()
let tarballs: Record<PackageName, string>

beforeAll(() => {
  tarballs = pack(folder.path)
})
afterAll(() => folder[Symbol.dispose]())

describe.each(PACKAGES)('the tarball of %s', (name) => {
  const files = () => mustRun('tar', ['tzf', tarballs[name]], root).trim().split('\n')
  const packed = (path: string) => mustRun('tar', ['xzOf', tarballs[name], `package/${path}`], root)

  it('holds what its users need and nothing else', () => {
    const allowed = name === 'protocol' ? /^package\/(dist|vectors)\// : /^package\/dist\//
    const extra = files().filter((file) => !allowed.test(file))
    const expected = ['package/LICENSE', 'package/README.md', 'package/package.json']
    expect(extra.filter((file) => file !== 'package/CHANGELOG.md').sort()).toEqual(expected)
    expect(files().filter((file) => /\.test\.|\.map$|tsbuildinfo/.test(file))).toEqual([])
  })

  it('pins the other packages of its own version', () => {
    const { dependencies = {}, version } = JSON.parse(packed('package.json'))
    for (const [dependency, range] of Object.entries(dependencies)) {
      if (dependency.startsWith('@kithwire/')) expect(range).toBe(version)
      else expect(range).toMatch(/^\^\d/)
    }
  })

  it('runs no script at installation', () => {
    const { scripts = {} } = JSON.parse(packed('package.json'))
    expect(Object.keys(scripts).filter((script) => /install|prepare/.test(script))).toEqual([])
  })

  it('passes publint', () => {
    const { status, stdout, stderr } = runTool(process.execPath, [PUBLINT, '--strict', tarballs[name]], root)
    expect(status, stdout + stderr).toBe(0)
  })

  it('passes attw in every row', () => {
    const { status, stdout, stderr } = runTool(
      process.execPath,
      [ATTW, '--no-color', '--no-emoji', tarballs[name]],
      root,
    )
    expect(status, stdout + stderr).toBe(0)
  })
})

it('all three have one version', () => {
  expect(new Set(PACKAGES.map((name) => manifest(`packages/${name}`).version)).size).toBe(1)
  const { fixed } = JSON.parse(readFileSync(join(root, '.changeset/config.json'), 'utf8'))
  expect([...fixed[0]].sort()).toEqual(PACKAGES.map((name) => `@kithwire/${name}`).sort())
})
