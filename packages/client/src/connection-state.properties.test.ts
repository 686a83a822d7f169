import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RUNS, RUNS_TIMEOUT } from '../../protocol/src/testing/runs.js'
import { type ConnectionEffect, type ConnectionEvent, type ConnectionState, INITIAL, next } from './connection-state.js'

const simple = ['start', 'led', 'elapsed', 'welcomed', 'held', 'silent', 'contested', 'online', 'moved'] as const
const codes = [1000, 1001, 1006, 1009, 1012, 1013, 4000, 4001, 4009, 4010, 4029, 4500, 4501, 4510, 4700, 3000]

const event: fc.Arbitrary<ConnectionEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...simple).map((type): ConnectionEvent => ({ type })) },
  { weight: 2, arbitrary: fc.constant<ConnectionEvent>({ type: 'opened', protocol: 'kithwire.v1' }) },
  fc.constantFrom(...codes).map((code): ConnectionEvent => ({ type: 'closed', code, reason: '' })),
  fc.constant<ConnectionEvent>({ type: 'drain', spread: 1_000 }),
  fc.constant<ConnectionEvent>({ type: 'failed', reason: 'x' }),
)

/** What the effects have set up, as the performer would. */
interface World {
  socket: boolean
  timer: boolean
  leading: boolean
}

function perform(world: World, effects: readonly ConnectionEffect[], state: ConnectionState): World {
  const then = { ...world }
  for (const effect of effects) {
    if (effect.do === 'open') then.socket = true
    if (effect.do === 'drop') then.socket = false
    if (effect.do === 'wait') then.timer = true
    if (effect.do === 'lead') then.leading = true
    if (effect.do === 'yield') then.leading = false
  }
  if (state.phase === 'stopped' || state.phase === 'closed' || state.phase === 'following') then.timer = false
  return then
}

it('is never without something that moves it on, and never has two sockets', { timeout: RUNS_TIMEOUT }, () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let state: ConnectionState = INITIAL
      let world: World = { socket: false, timer: false, leading: false }
      for (const each of events) {
        // Events that cannot happen: a timer that is not set, the close of a socket that is not there.
        if (each.type === 'elapsed' && !world.timer) continue
        if (each.type === 'closed' && !world.socket) continue
        if (each.type === 'elapsed') world = { ...world, timer: false }
        if (each.type === 'closed') world = { ...world, socket: false }
        const before = world
        const [to, effects] = next(state, each)
        world = perform(world, effects, to)
        const opens = effects.findIndex((effect) => effect.do === 'open')
        const drops = effects.findIndex((effect) => effect.do === 'drop')
        if (opens >= 0 && before.socket) expect(drops).toBeGreaterThanOrEqual(0)
        state = to
        const { phase } = state
        const live = phase === 'connecting' || phase === 'greeting' || phase === 'online'
        expect(world.socket).toBe(live)
        if (phase === 'waiting' || state.draining) expect(world.timer).toBe(true)
        expect(world.leading).toBe(live || phase === 'waiting' || phase === 'following')
      }
      const [closed] = next(state, { type: 'stop' })
      expect(closed.phase).toBe('closed')
    }),
    RUNS,
  )
})
