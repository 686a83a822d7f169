import { FakeClock } from '@kithwire/protocol/testing'
import { expect, it } from 'vitest'
import { Watchdog } from './heartbeat.js'

function watch() {
  const clock = new FakeClock()
  const told: string[] = []
  const dog = new Watchdog(clock, 10_000, { dead: () => told.push('dead'), doubt: () => told.push('doubt') })
  return { clock, told, dog }
}

it('calls a socket dead after 2.2 heartbeats of silence, and not before', async () => {
  const { clock, told, dog } = watch()
  await clock.advance(15_000)
  dog.alive()
  await clock.advance(21_999)
  expect(told).toEqual([])
  await clock.advance(2)
  expect(told).toEqual(['dead'])
  dog.stop()
  expect(clock.pending).toBe(0)
})

it('doubts when the wall clock says that the device slept, whoever finds out first', async () => {
  const byMessage = watch()
  byMessage.clock.jump(60_000)
  byMessage.dog.alive()
  expect(byMessage.told).toEqual(['doubt'])

  const byTimer = watch()
  byTimer.clock.jump(3_600_000)
  await byTimer.clock.advance(22_000)
  expect(byTimer.told).toEqual(['doubt'])
})

it('measures anew when the clock was set back', async () => {
  const { clock, told } = watch()
  await clock.advance(10_000)
  clock.jump(-3_600_000)
  await clock.advance(12_000)
  expect(told).toEqual([])
  await clock.advance(22_000)
  expect(told).not.toEqual([])
})
