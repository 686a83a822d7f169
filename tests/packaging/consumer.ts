/** What an app's own strict program sees of the packages. Compiled against the tarballs by consumer.test.ts, never run. */
import {
  decodeClientFrame,
  encode,
  type IMessage,
  KithwireError,
  type Runtime,
  systemRuntime,
} from '@kithwire/protocol'
import { FakeClock, socketPair } from '@kithwire/protocol/testing'

export const clock: FakeClock = new FakeClock()
export const pair = socketPair
export const runtime: Runtime = systemRuntime
export const frame: string = encode({ t: 'ping', n: 1 })
export const decoded = decodeClientFrame(frame)
export const problem: string | undefined = decoded.ok ? undefined : decoded.problem.code
export const show = (message: IMessage): string => `${message.from}: ${message.content}`
export const isOurs = (error: unknown): error is KithwireError => error instanceof KithwireError
