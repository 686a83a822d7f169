import { describe, expect, it } from 'vitest'
import { type DriverHost, findDriver, isAtLeast } from './sqlite-driver.js'

class DatabaseSync {}

function host(builtin: string | undefined, packages: readonly string[], error?: Error): DriverHost {
  return {
    builtin,
    node: '20.19.0',
    require: (name) => {
      if (packages.includes(name)) return { DatabaseSync }
      throw error ?? Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' })
    },
  }
}

const both = ['node:sqlite', '@photostructure/sqlite']

describe('findDriver', () => {
  it('takes node:sqlite where its SQLite is new enough', () => {
    expect(findDriver(host('3.51.3', both)).name).toBe('node:sqlite')
    expect(findDriver(host('3.60.0', both)).name).toBe('node:sqlite')
  })

  it('takes @photostructure/sqlite where it is older, missing, or behind a flag', () => {
    expect(findDriver(host('3.51.2', both)).name).toBe('@photostructure/sqlite')
    expect(findDriver(host(undefined, both)).name).toBe('@photostructure/sqlite')
    expect(findDriver(host('3.51.3', ['@photostructure/sqlite'])).name).toBe('@photostructure/sqlite')
  })

  it('says what there is and what to install where there is neither', () => {
    for (const [version, said] of [
      [undefined, 'Node 20.19.0 has none'],
      ['3.46.1', 'Node 20.19.0 has 3.46.1'],
    ] as const) {
      const find = () => findDriver(host(version, []))
      expect(find).toThrow(expect.objectContaining({ code: 'missing_dependency' }))
      expect(find).toThrow(said)
      expect(find).toThrow('is not installed. Run `npm install @photostructure/sqlite`')
    }
  })

  it('says so if the package is there and its binary does not load', () => {
    for (const message of ['invalid ELF header', "Cannot find module 'node-gyp-build'"]) {
      const cause = Object.assign(new Error(message), { code: 'MODULE_NOT_FOUND' })
      const find = () => findDriver(host(undefined, [], cause))
      expect(find).toThrow('could not be loaded')
      expect(find).toThrow(expect.objectContaining({ cause }))
    }
  })
})

it('compares versions by number', () => {
  expect(isAtLeast('3.51.10', '3.51.3')).toBe(true)
  expect(isAtLeast('3.9.9', '3.51.3')).toBe(false)
  expect(isAtLeast('4.0', '3.51.3')).toBe(true)
  expect(isAtLeast('3.51', '3.51.3')).toBe(false)
})
