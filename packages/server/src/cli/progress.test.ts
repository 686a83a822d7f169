import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { namesOf, redact } from './command.js'
import { Progress } from './progress.js'

function screen(isTTY: boolean) {
  const written: string[] = []
  return { written, isTTY, columns: 60, write: (text: string) => written.push(text) }
}

describe('progress', () => {
  it('is a bar on a terminal, drawn over itself and never wider than it', async () => {
    const clock = new FakeClock()
    const tty = screen(true)
    const progress = new Progress(tty, clock, 'numbering', 4_000)
    for (let step = 0; step < 4; step++) {
      await clock.advance(60)
      progress.add(1_000)
    }
    progress.end()
    expect(tty.written).toHaveLength(5)
    expect(tty.written[1]).toBe(
      `\r${'numbering ████████████░░░░░░░░░░░░ 50% 2,000 of 4,000, 16,667'.slice(0, 59)}\u001b[K`,
    )
    expect(tty.written[3]).toContain('████████████████████████ 100%')
    expect(tty.written[4]).toBe('\n')
  })

  it('is a line now and then where nobody watches, with what is left', async () => {
    const clock = new FakeClock()
    const log = screen(false)
    const progress = new Progress(log, clock, 'numbering', 10_000_000)
    for (let step = 0; step < 50; step++) {
      await clock.advance(100)
      progress.add(100)
    }
    // More than there was at first.
    progress.add(10_000_000)
    progress.end()
    expect(log.written).toEqual([
      'numbering 0% 2,000 of 10,000,000, 1,000/s, 2.8 h left\n',
      'numbering 0% 4,000 of 10,000,000, 1,000/s, 2.8 h left\n',
      'numbering 100% 10,005,000 of 10,005,000, 2,001,000/s\n',
    ])
  })
})

describe('options', () => {
  it('never show a password', () => {
    expect(redact('no mongodb://ann:se%40cret@h1,h2/app?x=1 nor https://u@x/y')).toBe(
      'no mongodb://…@h1,h2/app?x=1 nor https://…@x/y',
    )
  })

  it('name the fields of an app', () => {
    expect(namesOf('conversation=chat, from=sender')).toEqual({
      conversation: 'chat',
      from: 'sender',
      to: 'to',
      type: 'type',
      seq: 'seq',
      cid: 'cid',
      createdAt: 'createdAt',
    })
    for (const wrong of ['friend=x', 'from', 'from=a.b', 'from=$x', 'seq=cid', '__proto__=x', 'toString=x'])
      expect(() => namesOf(wrong)).toThrow('--fields')
  })
})
