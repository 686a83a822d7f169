/**
 * What a test of Kithwire, or of an app on it, needs: a clock that only moves when told, random numbers from a seed,
 * and two sockets joined by a wire.
 *
 * @packageDocumentation
 */
export { DeviceClock } from './device-clock.js'
export { FakeClock } from './fake-clock.js'
export { SeededRandom } from './seeded-random.js'
export { type PairedSocket, type PairOptions, socketPair } from './socket-pair.js'
