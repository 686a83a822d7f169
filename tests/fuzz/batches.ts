import { monitorEventLoopDelay } from 'node:perf_hooks'
import { HANG_MS, isPolluted, type Options, type Tally } from './tally.js'
import { type Answer, TcpTarget } from './target.js'

/** What is sent on one connection, and how many inputs that counts for. */
export interface Attack {
  pieces: Buffer[]
  inputs: number
  /** Ms between the last piece and FIN, for answers that take a moment. @default 0 */
  pauseMs?: number
}

const AT_ONCE = 8
/** Connections of one server; then a new one begins, so that what it keeps for its users is gone when heap is measured. */
const BLOCK = 400

/** Attacks a mounted server over TCP, several connections at a time, and judges each by what came back. */
export async function overTcp(
  options: Options,
  tally: Tally,
  make: (index: number) => Attack,
  judge: (attack: Attack, answer: Answer) => string | undefined,
): Promise<void> {
  for (let index = options.only ?? 0; tally.inputs < options.inputs; ) {
    // The limits as they are end most connections at the third bad frame; every other server lets more of them be read.
    const target = await TcpTarget.start((index / BLOCK) % 2 === 0 ? {} : { badFrames: 1_000, badLegacyFrames: 1_000 })
    const start = index
    for (const end = index + BLOCK; index < end && tally.inputs < options.inputs; index += AT_ONCE) {
      const width = options.only === undefined ? AT_ONCE : 1
      const attacks = Array.from({ length: width }, (_, offset) => make(index + offset))
      await batch(target, attacks, index, tally, judge)
      if (((index - start) / AT_ONCE) % 10 === 0) await checkRest(target, index, tally)
      process.send?.({ at: index })
      if (options.only !== undefined) break
    }
    await checkRest(target, index, tally)
    await target.close()
    if (options.only !== undefined) return
    if (tally.inputs >= options.inputs / 3) tally.measure()
  }
}

async function batch(
  target: TcpTarget,
  attacks: readonly Attack[],
  first: number,
  tally: Tally,
  judge: (attack: Attack, answer: Answer) => string | undefined,
): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const answers = await Promise.all(attacks.map((attack) => target.attack(attack)))
  delay.disable()
  // Which of them it was shows only one by one.
  const slow = delay.max / 1e6 > HANG_MS
  for (const [offset, attack] of attacks.entries()) {
    const index = first + offset
    const input = Buffer.concat(attack.pieces).toString('latin1')
    const answer = answers[offset]!
    tally.inputs += attack.inputs
    const wrong = answer.ended ? judge(attack, answer) : 'the server did not end the connection'
    if (wrong) tally.wrong(index, wrong, input)
    if (slow) await tally.took(delay.max / 1e6, index, input, () => target.attack({ pieces: attack.pieces }))
  }
  if (isPolluted()) tally.wrong(first, 'left something on a prototype', `or one of the ${attacks.length - 1} behind it`)
}

/** The two friends have heard everything, and of the others nothing is left. */
async function checkRest(target: TcpTarget, index: number, tally: Tally): Promise<void> {
  const control = await target.checkControl()
  if (control) tally.wrong(index, control, 'or one of those before it')
  const strangers = await target.strangers()
  if (strangers !== 0) tally.wrong(index, `${strangers} sockets are left`, 'of this one or those before it')
}
