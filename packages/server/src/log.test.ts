import { FakeClock } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { escapeInput, jsonLines, Log, type LogLine } from './log.js'

const make = () => {
  const clock = new FakeClock()
  const lines: LogLine[] = []
  return { clock, lines, log: new Log(clock, (line) => lines.push(line)) }
}

describe('Log', () => {
  it('X6, X7, X8 escapes what forges lines, terminals and direction, and cuts', () => {
    expect(escapeInput('a\r\nb\u001b[31m\u2028\u202e%s {jndi:x}')).toBe(
      'a\\u000d\\u000ab\\u001b[31m\\u2028\\u202e%s {jndi:x}',
    )
    expect(escapeInput('x'.repeat(10_000))).toHaveLength(512)
    const { lines, log } = make()
    log.write('warn', 'bad_frame', { user: 'a\nb', bytes: 3 })
    expect(lines).toEqual([
      { level: 'warn', event: 'bad_frame', at: 1_700_000_000_000, fields: { user: 'a\\u000ab', bytes: 3 } },
    ])
  })

  it('keeps one line per socket, event and minute', async () => {
    const { clock, lines, log } = make()
    const [one, other] = [{}, {}]
    for (let round = 0; round < 100; round++) log.write('warn', 'bad_frame', {}, one)
    log.write('warn', 'bad_field', {}, one)
    log.write('warn', 'bad_frame', {}, other)
    expect(lines).toHaveLength(3)
    await clock.advance(60_000)
    log.write('warn', 'bad_frame', {}, one)
    expect(lines).toHaveLength(4)
  })

  it('survives a logger that throws, and does without one', () => {
    const throws = new Log(new FakeClock(), () => {
      throw new Error('full')
    })
    throws.write('info', 'x')
    new Log(new FakeClock(), undefined).failure('x', 'cause')
  })

  it('names an error without its stack', () => {
    const { lines, log } = make()
    log.failure('append_failed', new TypeError('no\nway'), { sends: 2 })
    expect(lines[0]!.fields).toEqual({ sends: 2, error: 'TypeError: no\\u000away' })
  })

  it('writes JSON lines', () => {
    const texts: string[] = []
    jsonLines((text) => texts.push(text))({ level: 'info', event: 'x', at: 1, fields: { a: 'b' } })
    expect(texts).toEqual(['{"at":1,"level":"info","event":"x","a":"b"}'])
  })
})
