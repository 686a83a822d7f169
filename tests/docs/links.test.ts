import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../packaging/packages.js'

const SKIPPED = new Set(['node_modules', 'dist', 'api', '.git', '.cache'])

function documents(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return documents(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const withoutCode = (text: string) => text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '')

/** The anchor that a heading gets where Markdown is shown. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const anchors = (path: string) => [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading!))

describe.each(documents('.'))('%s', (path) => {
  const links = [...withoutCode(read(path)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
  const inside = links.filter((target) => !/^[a-z]+:/.test(target))

  it('links to what is there', () => {
    const broken = inside.filter((target) => {
      const [file, section] = target.split('#') as [string, string?]
      const to = file === '' ? path : join(dirname(path), file)
      if (!existsSync(join(root, to))) return true
      return section !== undefined && !anchors(to).includes(section)
    })
    expect(broken).toEqual([])
  })

  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json'))
    const named = [...read(path).matchAll(/npm (?:run )?(test|(?<=run )[a-z]+)/g)].map(([, script]) => script!)
    expect(named.filter((script) => !(script in scripts))).toEqual([])
  })
})

it('the reference is generated, with every link in it resolved', () => {
  const typedoc = join(root, 'node_modules/typedoc/bin/typedoc')
  const args = [typedoc, '--emit', 'none', '--treatValidationWarningsAsErrors', '--logLevel', 'Warn']
  expect(() => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' })).not.toThrow()
}, 120_000)
