import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { Authorizer } from './authorize.js'
import { FriendTable } from './testing/core-kit.js'

const make = () => {
  const clock = new FakeClock()
  const friends = new FriendTable()
  friends.table.set('c1', ['ann', 'ben'])
  return { clock, friends, authorizer: new Authorizer(friends, clock, 30_000) }
}

describe('Authorizer', () => {
  it('remembers members for a while', async () => {
    const { clock, friends, authorizer } = make()
    for (let round = 0; round < 5; round++)
      expect(await authorizer.check('c1', 'ann')).toEqual({ members: ['ann', 'ben'] })
    expect(friends.asked).toBe(1)
    friends.table.delete('c1')
    await clock.advance(29_000)
    expect((await authorizer.check('c1', 'ben')).refused).toBeUndefined()
    await clock.advance(2_000)
    expect((await authorizer.check('c1', 'ben')).refused).toBe('not_found')
  })

  it('never says no from memory, and says the same to strangers as about nothing', async () => {
    const { friends, authorizer } = make()
    expect(await authorizer.check('c1', 'cyd')).toEqual({ refused: 'not_found' })
    expect(await authorizer.check('c9', 'cyd')).toEqual({ refused: 'not_found' })
    expect(friends.asked).toBe(2)
    friends.table.set('c1', ['ann', 'ben', 'cyd'])
    expect((await authorizer.check('c1', 'cyd')).refused).toBeUndefined()
  })

  it('says blocked to a member alone', async () => {
    const { friends, authorizer } = make()
    friends.blocked.add('c1')
    expect(await authorizer.check('c1', 'ann')).toEqual({ refused: 'blocked' })
    expect(await authorizer.check('c1', 'cyd')).toEqual({ refused: 'not_found' })
  })

  it('asks once for many, and again for an answer that a change has overtaken', async () => {
    const { friends, authorizer } = make()
    const answers: ((members: string[] | null) => void)[] = []
    friends.members = () => new Promise((resolve) => answers.push(resolve))
    const checks = [authorizer.check('c1', 'ann'), authorizer.check('c1', 'ann')]
    expect(answers).toHaveLength(1)
    authorizer.invalidate('c1')
    answers[0]!(['ann', 'ben'])
    await new Promise(setImmediate)
    expect(answers).toHaveLength(2)
    answers[1]!(null)
    expect(await Promise.all(checks)).toEqual([{ refused: 'not_found' }, { refused: 'not_found' }])
    expect(authorizer.peek('c1')).toBeUndefined()
    expect(authorizer.size).toBe(0)
  })

  it('rejects as the port does, and asks again next time', async () => {
    const { friends, authorizer } = make()
    friends.failing = true
    await expect(authorizer.check('c1', 'ann')).rejects.toThrow('down')
    friends.failing = false
    expect((await authorizer.check('c1', 'ann')).members).toEqual(['ann', 'ben'])
  })
})
