import { describe, expect, it } from 'vitest'
import { sqlite } from './sqlite.js'

describe('sqlite()', () => {
  it.each([
    [':memory:', {}, 'use `new MemoryStore()`'],
    ['', {}, 'the path of a file'],
    ['file:chat.db?mode=memory', {}, 'the path of a file'],
    ['a\u0000b', {}, 'the path of a file'],
    [undefined as unknown as string, {}, 'the path of a file'],
    ['chat.db', { thread: 'no' as unknown as boolean }, "`thread`: expected true, false or 'auto', came no"],
    ['chat.db', { busyTimeoutMs: -1 }, '`busyTimeoutMs`: expected 0 to 60000, came -1'],
    ['chat.db', { busyTimeoutMs: Number.NaN }, '`busyTimeoutMs`'],
  ])('refuses %j with %j', (file, options, message) => {
    const make = () => sqlite(file, options)
    expect(make).toThrow(expect.objectContaining({ code: 'bad_option' }))
    expect(make).toThrow(message)
  })

  it('says what is missing where a bundler, or a test of the sources, has no built worker', () => {
    expect(() => sqlite('chat.db', { thread: true })).toThrow('otherwise use `thread: false`')
  })
})
