import { describe, expect, it } from 'vitest'
import type { Identity } from '../context.js'
import { deviceOf, TestServer } from '../testing/core-kit.js'

const HOUR = 3_600_000

/** Tokens: `ann+1h` is ann's for an hour more, `ben` is ben's, `down` cannot be checked, others are nobody's. */
function make() {
  const server = new TestServer()
  const reauthenticate = async (token: string): Promise<Identity | null> => {
    if (token === 'down') throw new Error('the session store is down')
    if (token === 'ann+1h') return { user: 'ann', expires: server.clock.now() + HOUR }
    return token === 'ann' || token === 'ben' ? { user: token } : null
  }
  const identity = (ms: number) => ({ expires: server.clock.now() + ms, reauthenticate })
  return { server, identity }
}

describe('credentials', () => {
  it('expire with a warning, then 4001', async () => {
    const { server, identity } = make()
    const ann = await server.enter('ann', {}, identity(HOUR))
    await server.clock.advance(HOUR - 1_000)
    expect(ann.of('error')).toEqual([])
    await server.clock.advance(1_200)
    expect(ann.of('error')).toMatchObject([{ code: 'token_expired', fatal: false }])
    expect(ann.closed).toBeUndefined()
    expect(await ann.ended()).toBe(4001)
  })

  it('are renewed by auth, again and again', async () => {
    const { server, identity } = make()
    const ann = await server.enter('ann', {}, identity(1_000))
    await ann.next('error')
    ann.send({ t: 'auth', n: 1, token: 'ann+1h' })
    expect(await ann.next('auth')).toEqual({ t: 'auth', re: 1, expires: server.clock.now() + HOUR })
    await server.clock.advance(HOUR - 1_000)
    expect(ann.of('error')).toHaveLength(1)
    ann.send({ t: 'auth', n: 2, token: 'ann' })
    expect(await ann.next('auth', 2)).toEqual({ t: 'auth', re: 2 })
    await server.clock.advance(2 * HOUR)
    expect([ann.of('error').length, ann.closed]).toEqual([1, undefined])
  })

  it('may be wrong without an end, may not be another\u2019s, and may not be checkable now', async () => {
    const { server, identity } = make()
    const ann = await server.enter('ann', {}, identity(HOUR))
    ann.send({ t: 'auth', n: 1, token: 'nobody' })
    expect(await ann.next('error')).toMatchObject({ re: 1, code: 'unauthorized', fatal: false })
    ann.send({ t: 'auth', n: 2, token: 'down' })
    expect(await ann.next('error', 2)).toMatchObject({ re: 2, code: 'internal', fatal: false })
    ann.send({ t: 'auth', n: 3, token: 'ben' })
    expect(await ann.ended()).toBe(4501)
  })

  it('cannot be renewed where the app gives no means', async () => {
    const { server } = make()
    const ann = await server.enter('ann')
    ann.send({ t: 'auth', n: 1, token: 'ann' })
    expect(await ann.next('error')).toMatchObject({ re: 1, code: 'unauthorized' })
  })

  it.each([
    ['nobody', 4501],
    ['ben', 4501],
    ['down', 1013],
  ])('in a hello: %s ends %d before welcome', async (token, code) => {
    const { server, identity } = make()
    const ann = server.connect('ann', identity(HOUR))
    ann.send({ t: 'hello', device: deviceOf('ann'), attempt: 1, token })
    expect([await ann.ended(), ann.frames]).toEqual([code, []])
    await server.clock.until(() => server.empty)
  })

  it('in a hello: the right one renews', async () => {
    const { server, identity } = make()
    const ann = await server.enter('ann', { token: 'ann+1h' }, identity(1_000))
    await server.clock.advance(60_000)
    expect([ann.of('error'), ann.closed]).toEqual([[], undefined])
  })

  it('that had expired before welcome are told of after it', async () => {
    const { server, identity } = make()
    const ann = await server.enter('ann', {}, identity(-1))
    expect(await ann.next('error')).toMatchObject({ code: 'token_expired' })
    expect(ann.frames.map(({ t }) => t)).toEqual(['welcome', 'error'])
    expect(await ann.ended()).toBe(4001)
  })

  it('are noticed as expired soon after the clock was put forward', async () => {
    const { server, identity } = make()
    const ann = await server.enter('ann', {}, identity(HOUR))
    server.clock.jump(HOUR)
    await server.clock.advance(61_000)
    expect(ann.of('error')).toMatchObject([{ code: 'token_expired' }])
  })
})
