import { catchUp, hello, idle, storm } from './states.js'
import { traffic } from './traffic.js'
import { drop, kill } from './trouble.js'
import type { Workload } from './workload.js'

/** How long a workload is looked at. */
export interface Length {
  warmMs: number
  measureMs: number
}

const count = (users: number) => users.toLocaleString('en')

/** The workloads at full size. */
export const allWorkloads = (length: Length): readonly Workload[] => [
  traffic('users-200', '200 users, 1 in flight', { users: 200, inFlight: 1, ...length }),
  traffic('in-flight-16', '200 users, 16 in flight', { users: 200, inFlight: 16, ...length }),
  traffic('users-2000', '2,000 users, 1 in flight', { users: 2_000, inFlight: 1, ...length }),
  traffic('one-way', '200 users, 1 in flight, one way only', { users: 200, inFlight: 1, oneWay: true, ...length }),
  traffic('users-20', '20 users, 1 in flight', { users: 20, inFlight: 1, ...length }),
  traffic('one-pair', 'one pair alone, 1 in flight', { users: 2, inFlight: 1, ...length }),
  traffic('devices-3', '200 users of 3 devices, 1 in flight', { users: 200, inFlight: 1, devices: 3, ...length }),
  drop('drop', 'all sockets destroyed 3 times', { users: 200, inFlight: 4, times: 3, everyMs: 1_000 }),
  kill('kill', 'kill -9 and restart, 3 times', { users: 200, inFlight: 4, times: 3, everyMs: 1_000 }),
  idle('idle', `${count(8_000)} idle connections`, { users: 8_000, settleMs: 2_000 }),
  catchUp('catch-up', 'catch-up of 10,000', { messages: 10_000, times: 10, warmUps: 5 }),
  storm('storm', '2,000 sockets back after kill and restart', { users: 2_000 }),
  hello('hello', 'hello with 5,000 conversations', { friends: 5_000, times: 5, warmUps: 3 }),
]

/** Peers that stand for all in a smoke: one that stores nothing, one that does, and Kithwire with each. */
const FEW = new Set(['socket.io', 'socket.io-full', 'memory', 'sqlite'])

const few = (workload: Workload): Workload => ({
  ...workload,
  applies: (peer) => FEW.has(peer.id) && workload.applies(peer),
})

/** The same at sizes that show that everything works, and nothing of how fast it is. */
export const smokeWorkloads = (): readonly Workload[] => {
  const length = { warmMs: 100, measureMs: 200 }
  return [
    traffic('users-200', '10 users, 1 in flight', { users: 10, inFlight: 1, ...length }),
    few(traffic('in-flight-16', '10 users, 16 in flight', { users: 10, inFlight: 16, ...length })),
    few(traffic('one-way', '10 users, 1 in flight, one way only', { users: 10, inFlight: 1, oneWay: true, ...length })),
    few(traffic('devices-3', '10 users of 3 devices', { users: 10, inFlight: 1, devices: 3, ...length })),
    drop('drop', 'all sockets destroyed twice', { users: 10, inFlight: 4, times: 2, everyMs: 100 }),
    few(kill('kill', 'kill -9 and restart', { users: 10, inFlight: 4, times: 1, everyMs: 100 })),
    few(idle('idle', '100 idle connections', { users: 100, settleMs: 100 })),
    few(catchUp('catch-up', 'catch-up of 500', { messages: 500, times: 1, warmUps: 0 })),
    few(storm('storm', '50 sockets back after kill and restart', { users: 50 })),
    few(hello('hello', 'hello with 50 conversations', { friends: 50, times: 1, warmUps: 0 })),
  ]
}
