import { CLOSE_CODES } from '@kithwire/protocol'
import { describe, expect, it } from 'vitest'
import { type ConnectionEvent, type ConnectionState, INITIAL, next } from './connection-state.js'

const PHASES = ['idle', 'following', 'waiting', 'connecting', 'greeting', 'online', 'stopped', 'closed'] as const
const online: ConnectionState = { ...INITIAL, phase: 'online', tries: 2 }

function run(state: ConnectionState, ...events: ConnectionEvent[]) {
  let effects: ReturnType<typeof next>[1] = []
  for (const event of events) [state, effects] = next(state, event)
  return { state, effects }
}

it('goes from start to online', () => {
  const { state, effects } = run(
    INITIAL,
    { type: 'start' },
    { type: 'led' },
    { type: 'opened', protocol: 'kithwire.v1' },
    { type: 'welcomed' },
  )
  expect(state.phase).toBe('online')
  expect(effects).toEqual([{ do: 'steady' }])
})

describe.each(Object.entries(CLOSE_CODES))('close %s', (text, entry) => {
  const code = Number(text)
  const { state, effects } = run(online, { type: 'closed', code, reason: 'x' })
  const wait = effects.find((effect) => effect.do === 'wait')

  it('does what the table says', () => {
    expect(state).toMatchObject({ code, reason: 'x' })
    if (code === 1000) expect(state.phase).toBe('waiting')
    else if (!entry.reconnect) expect(state.phase).toBe('stopped')
    else if (code === 4009) expect(state.phase).toBe('following')
    else {
      expect(state).toMatchObject({ phase: 'waiting', tries: 3 })
      expect(wait).toEqual({ do: 'wait', tries: 2, ...('wait' in entry && { bounds: entry.wait }) })
    }
    const refused = !entry.reconnect && code !== 1000
    expect(effects.some((effect) => effect.do === 'error')).toBe(refused)
  })
})

it('names a refusal by a code of its own', () => {
  const error = (code: number) =>
    run(online, { type: 'closed', code, reason: '' }).effects.find((effect) => effect.do === 'error')
  expect(error(4501)).toMatchObject({ code: 'unauthorized' })
  expect(error(4503)).toMatchObject({ code: 'forbidden' })
  expect(error(4506)).toMatchObject({ code: 'unsupported_version' })
  expect(error(4510)).toMatchObject({ code: 'too_many_connections' })
  expect(error(4999)).toMatchObject({ code: 'protocol_violation' })
})

it('stops at a server that does not speak the protocol', () => {
  const { state, effects } = run({ ...INITIAL, phase: 'connecting' }, { type: 'opened', protocol: '' })
  expect(state.phase).toBe('stopped')
  expect(effects).toContainEqual(expect.objectContaining({ do: 'error', code: 'unsupported_version' }))
})

it('starts its backoff again only once a connection has held', () => {
  expect(run(online, { type: 'closed', code: 1006, reason: '' }).state.tries).toBe(3)
  expect(run(online, { type: 'held' }, { type: 'closed', code: 1006, reason: '' }).state.tries).toBe(1)
})

it('gives up leadership at 4009, and waits 5 to 30 s when it leads again', () => {
  const lost = run(online, { type: 'closed', code: 4009, reason: '' })
  expect(lost.effects).toEqual([{ do: 'yield' }, { do: 'lead' }])
  expect(lost.state.replaced).toBe(1)
  const again = run(lost.state, { type: 'led' })
  expect(again.effects).toEqual([{ do: 'wait', bounds: [5_000, 30_000], exact: true }])
  expect(run(again.state, { type: 'online' }).effects).toEqual([])
})

it('forgets the epoch after 4010, until the next welcome', () => {
  const { state } = run(online, { type: 'closed', code: 4010, reason: '' })
  expect(state.forget).toBe(true)
  expect(run({ ...state, phase: 'greeting' }, { type: 'welcomed' }).state.forget).toBe(false)
})

it('moves on within the spread when the server drains, whether or not it closes first', () => {
  const draining = run(online, { type: 'drain', spread: 3_000 })
  expect(draining.effects).toEqual([{ do: 'wait', bounds: [0, 3_000], exact: true }])
  const first = run(draining.state, { type: 'elapsed' })
  expect(first.effects.map((effect) => effect.do)).toEqual(['drop', 'open'])
  const closed = run(draining.state, { type: 'closed', code: 1012, reason: '' })
  expect(closed.effects).toEqual([])
  expect(run(closed.state, { type: 'elapsed' }).effects).toEqual([{ do: 'open' }])
})

it('comes back within a second of `online`, unless the server asked for time', () => {
  const lost = run(online, { type: 'closed', code: 1006, reason: '' }).state
  expect(run(lost, { type: 'online' }).effects).toEqual([{ do: 'wait', bounds: [0, 1_000], exact: true }])
  const told = run(online, { type: 'closed', code: 1013, reason: '' }).state
  expect(run(told, { type: 'online' }).effects).toEqual([])
})

it('does nothing for a socket that it has not, and nothing at all once closed', () => {
  for (const phase of PHASES) {
    const state: ConnectionState = { ...INITIAL, phase }
    const live = phase === 'connecting' || phase === 'greeting' || phase === 'online'
    expect(run(state, { type: 'closed', code: 1006, reason: '' }).state === state).toBe(!live)
    expect(run(state, { type: 'silent' }).state === state).toBe(!live)
    expect(run(state, { type: 'stop' }).state.phase).toBe('closed')
  }
  const closed: ConnectionState = { ...INITIAL, phase: 'closed' }
  for (const type of ['start', 'led', 'elapsed', 'welcomed', 'held', 'online', 'moved', 'stop'] as const)
    expect(next(closed, { type })).toEqual([closed, []])
})
