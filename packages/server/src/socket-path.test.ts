import { describe, expect, it } from 'vitest'
import { SocketPath } from './socket-path.js'

describe('SocketPath', () => {
  it.each([
    ['/chat/ws', '/chat/ws', { kind: 'match' }],
    ['/chat/ws', '/chat/ws?ticket=1', { kind: 'match' }],
    ['/chat/ws', '/chat/ws/', { kind: 'none' }],
    ['/chat/ws', '/chat/ws2', { kind: 'none' }],
    ['/chat/ws', '/CHAT/ws', { kind: 'none' }],
    ['/', '/?x=/ws', { kind: 'match' }],
    ['/ws/:id', '/ws/ann', { kind: 'match', id: 'ann' }],
    ['/ws/:id', '/ws/a%2Fb%20c%3A', { kind: 'match', id: 'a/b c:' }],
    ['/ws/:id', '/ws/', { kind: 'none' }],
    ['/ws/:id', '/ws', { kind: 'none' }],
    ['/ws/:id', '/ws/../admin', { kind: 'none' }],
    ['/ws/:id', '/ws/..', { kind: 'unknown' }],
    ['/ws/:id', '/ws/%2e%2e%2f', { kind: 'unknown' }],
    ['/ws/:id', '/ws/%00', { kind: 'bad' }],
    ['/ws/:id', '/ws/%ff', { kind: 'bad' }],
    ['/ws/:id', '/ws/%', { kind: 'bad' }],
    ['/ws/:id', `/ws/${'x'.repeat(257)}`, { kind: 'bad' }],
    ['/a/:id/ws', '/a/ann/ws', { kind: 'match', id: 'ann' }],
  ])('%s on %s', (pattern, url, expected) => expect(new SocketPath(pattern).match(url)).toEqual(expected))

  it.each(['ws', '', '/ws/:user', '/ws/:id/:id', '/ws/*', '/ws/x:id', '/a b', '/ws?x'])(
    'refuses the pattern %j',
    (pattern) => {
      expect(() => new SocketPath(pattern)).toThrow(expect.objectContaining({ code: 'bad_option' }))
    },
  )
})
