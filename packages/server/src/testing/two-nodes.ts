import { LocalBus } from '../buses/local.js'
import type { ServerLimits } from '../limits.js'
import { TestServer } from './core-kit.js'
import { WeatherBus } from './weather-bus.js'

/** Two servers of one store, each with its own end of a bus. */
export function twoNodes(limits: Partial<ServerLimits> = {}) {
  const local = new LocalBus()
  const buses = [new WeatherBus(local.connect()), new WeatherBus(local.connect())] as const
  const one = new TestServer({ bus: buses[0], limits })
  const other = new TestServer({ bus: buses[1], limits, beside: one })
  return { one, other, buses, clock: one.clock, friends: one.friends }
}
