import type { Hello, Problem } from '@kithwire/protocol'
import { describe, expect, it } from 'vitest'
import { OPENING, type SessionState, transition } from './session-state.js'

const hello: Hello = { t: 'hello', device: 'd'.repeat(22), attempt: 1 }
const ping = { t: 'ping', n: 1 } as const
const problem: Problem = { code: 'bad_frame', message: 'no' }
const greeting: SessionState = { name: 'greeting' }
const ready: SessionState = { name: 'ready' }

const kinds = ([, effects]: ReturnType<typeof transition>) => effects.map((effect) => effect.do)
const codeOf = ([state]: ReturnType<typeof transition>) => (state.name === 'closed' ? state.code : undefined)

describe('transition', () => {
  it('greets a hello, and one in chunks as one', () => {
    expect(kinds(transition(OPENING, { type: 'frame', frame: hello }))).toEqual(['greet'])
    const first: Hello = { ...hello, more: true, cursors: [['c1', 1, 'aaaaaaaa']] }
    const [collecting, none] = transition(OPENING, { type: 'frame', frame: first })
    expect(none).toEqual([])
    const [state, effects] = transition(collecting, {
      type: 'frame',
      frame: { ...hello, cursors: [['c2', 2, 'bbbbbbbb']] },
    })
    expect(state).toEqual(greeting)
    expect(effects).toMatchObject([
      {
        do: 'greet',
        hello: {
          cursors: [
            ['c1', 1, 'aaaaaaaa'],
            ['c2', 2, 'bbbbbbbb'],
          ],
        },
      },
    ])
  })

  it.each([
    ['chunks of two devices', { ...hello, device: 'e'.repeat(22) }],
    ['chunks of two attempts', { ...hello, attempt: 2 }],
    ['too many cursors', { ...hello, cursors: Array.from({ length: 10_000 }, () => ['c', 1, ''] as const) }],
  ])('ends %s as a violation', (_name, chunk) => {
    const [collecting] = transition(OPENING, {
      type: 'frame',
      frame: { ...hello, more: true, cursors: [['c', 1, '']] },
    })
    const next = transition(collecting, { type: 'frame', frame: chunk })
    expect(codeOf(next)).toBe(4500)
    expect(kinds(next)).toEqual(['report', 'close'])
  })

  it('ends a frame before hello and a second hello as violations', () => {
    expect(codeOf(transition(OPENING, { type: 'frame', frame: ping }))).toBe(4500)
    expect(codeOf(transition(greeting, { type: 'frame', frame: hello }))).toBe(4500)
    expect(codeOf(transition(ready, { type: 'frame', frame: hello }))).toBe(4500)
  })

  it('holds what comes before welcome and releases it after', () => {
    expect(kinds(transition(greeting, { type: 'frame', frame: ping }))).toEqual(['hold'])
    const [state, effects] = transition(greeting, { type: 'welcomed' })
    expect([state, effects]).toEqual([ready, [{ do: 'release' }]])
    expect(kinds(transition(ready, { type: 'frame', frame: ping }))).toEqual(['dispatch'])
  })

  it('reports a frame that cannot be read, and ends at too many', () => {
    expect(kinds(transition(ready, { type: 'problem', problem, limit: false }))).toEqual(['report'])
    const last = transition(ready, { type: 'problem', problem, limit: true })
    expect(codeOf(last)).toBe(4500)
    expect(last[1][0]).toEqual({ do: 'report', problem, fatal: true })
  })

  it.each(['welcome', 'ack', 'messages', 'page', 'heartbeat', 'pong', 'behind', 'drain', 'error'])(
    'ends a %s from a client',
    (type) => {
      const unknown: Problem = { code: 'unknown_type', message: 'no', type }
      expect(codeOf(transition(ready, { type: 'problem', problem: unknown, limit: false }))).toBe(4500)
    },
  )

  it('lets an unknown type pass with a report', () => {
    const unknown: Problem = { code: 'unknown_type', message: 'no', type: 'dance' }
    expect(kinds(transition(ready, { type: 'problem', problem: unknown, limit: false }))).toEqual(['report'])
  })

  it('ends a hello that cannot be read', () => {
    const wrong: Problem = { code: 'bad_field', message: 'no', type: 'hello' }
    expect(codeOf(transition(OPENING, { type: 'problem', problem: wrong, limit: false }))).toBe(4500)
  })

  it('ends a binary frame 1003', () => {
    expect(codeOf(transition(ready, { type: 'binary' }))).toBe(1003)
  })

  it('does nothing after the end', () => {
    const [closed] = transition(ready, { type: 'end', code: 4009, reason: 'replaced' })
    for (const event of [{ type: 'welcomed' }, { type: 'binary' }, { type: 'end', code: 1, reason: '' }] as const)
      expect(transition(closed, event)).toEqual([closed, []])
  })
})
