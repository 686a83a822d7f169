import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { need } from '../support/need.js'
import { manifest, root, runTool } from './packages.js'

describe('npm run example', () => {
  it.each([['no-such-example'], []])('lists the names when it is asked for %s', (...args) => {
    const { status, stderr } = runTool(process.execPath, ['scripts/example.mjs', ...args], root)
    expect(status).toBe(1)
    for (const name of readdirSync(join(root, 'examples'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    ))
      if (name.name !== 'node_modules') expect(stderr).toContain(`npm run example -- ${name.name}`)
  })
})

describe('need', () => {
  afterEach(() => vi.unstubAllEnvs())
  const skipped = () => {
    const notes: string[] = []
    const skip = (note: string) => {
      notes.push(note)
      throw new Error('skipped')
    }
    return { notes, context: { skip } as never }
  }

  it('answers with what was found', () => {
    expect(need(skipped().context, 'chromium', 'Chromium')).toBe('chromium')
  })

  it('skips with a note of what to install', () => {
    vi.stubEnv('CI', undefined)
    const { context, notes } = skipped()
    expect(() => need(context, undefined, 'Chromium')).toThrow('skipped')
    expect(notes).toEqual(['needs Chromium'])
  })

  it('fails in CI, so that a lack cannot hide', () => {
    vi.stubEnv('CI', 'true')
    const { context, notes } = skipped()
    expect(() => need(context, undefined, 'Chromium')).toThrow('This test needs Chromium')
    expect(notes).toEqual([])
  })
})

describe('the lock file', () => {
  it('names no registry, so that it installs wherever npm does', () => {
    expect(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')).not.toMatch(/https?:\/\//)
  })

  it('was written by the pnpm that the scripts fetch', () => {
    const script = readFileSync(join(root, 'scripts/pnpm.mjs'), 'utf8')
    expect(script).toContain(`'${manifest('.').packageManager}'`)
  })
})
