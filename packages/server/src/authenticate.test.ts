import type { IncomingMessage } from 'node:http'
import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { type Authenticate, Authenticator } from './authenticate.js'
import type { Middleware } from './bindings/middleware.js'
import { Tickets } from './tickets.js'

const make = (authenticate: Authenticate | undefined, sessions: Middleware[] = []) => {
  const runtime = new FakeClock({ now: 1_000 })
  const tickets = new Tickets(runtime)
  return { runtime, tickets, authenticator: new Authenticator(authenticate, sessions, tickets, runtime) }
}
const request = (headers: Record<string, string> = {}, url = '/ws') => ({ headers, url }) as unknown as IncomingMessage

describe('Authenticator', () => {
  it.each([
    ['a string', 'ann', { id: 'ann' }],
    ['an object', { id: 'ann' }, { id: 'ann' }],
    ['one that ends', { id: 'ann', expires: 2_000 }, { id: 'ann', expires: 2_000 }],
    ['one that has ended', { id: 'ann', expires: 1_000 }, null],
    ['null', null, null],
    ['undefined', undefined, null],
  ])('takes %s', async (_name, answer, user) => {
    const { authenticator } = make(() => answer)
    expect(await authenticator.ofUpgrade(request(), undefined)).toEqual(user)
    expect(await authenticator.ofRequest(request())).toEqual(user)
  })

  it('takes a ticket before it asks, once, and asks nobody about a bad one', async () => {
    const { authenticator, tickets } = make(() => 'ben')
    const ticket = tickets.issue('ann')
    expect(await authenticator.ofUpgrade(request({}, `/ws?ticket=${ticket}`), undefined)).toEqual({ id: 'ann' })
    expect(await authenticator.ofUpgrade(request({}, `/ws?ticket=${ticket}`), undefined)).toBeNull()
  })

  it('hands over the token of the subprotocol, or else the bearer', async () => {
    const { authenticator } = make((_request, { token }) => token ?? null)
    expect(await authenticator.ofUpgrade(request({ authorization: 'Bearer ann' }), 'ben')).toEqual({ id: 'ben' })
    expect(await authenticator.ofUpgrade(request({ authorization: 'Bearer ann' }), undefined)).toEqual({ id: 'ann' })
    expect(await authenticator.ofRequest(request({ authorization: 'Basic ann' }))).toBeNull()
    expect(await authenticator.ofToken(request(), 'cyd')).toEqual({ id: 'cyd' })
  })

  it('gives up after ten seconds, and leaves no timer when there was an answer', async () => {
    const { authenticator, runtime } = make(() => new Promise(() => {}))
    const asked = authenticator.ofUpgrade(request(), undefined)
    const refused = expect(asked).rejects.toMatchObject({ code: 'busy' })
    await runtime.advance(10_000)
    await refused
    const quick = make(() => 'ann')
    await quick.authenticator.ofUpgrade(request(), undefined)
    await quick.runtime.settle()
    expect(quick.runtime.pending).toBe(0)
  })

  it('lets a middleware that throws, rejects or fails be an outage', async () => {
    const chains: Middleware[] = [
      () => {
        throw new Error('down')
      },
      () => Promise.reject(new Error('down')),
      (_request, _response, next) => next(new Error('down')),
    ]
    for (const middleware of chains) {
      const { authenticator } = make(() => 'ann', [middleware])
      await expect(authenticator.ofUpgrade(request(), undefined)).rejects.toThrow('down')
    }
  })

  it('runs the chain in order before it asks, on upgrades alone', async () => {
    const seen: string[] = []
    const step =
      (name: string): Middleware =>
      (_request, _response, next) => {
        seen.push(name)
        next()
      }
    const { authenticator } = make(() => void seen.push('asked'), [step('one'), step('two')])
    await authenticator.ofUpgrade(request(), undefined)
    await authenticator.ofRequest(request())
    expect(seen).toEqual(['one', 'two', 'asked', 'asked'])
  })
})
